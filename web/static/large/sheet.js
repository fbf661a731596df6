// The details beside the picture: a panel on a desk, on a phone a sheet that is drawn up from below.

const NARROW = matchMedia("(width < 46rem)");
const STILL = 6; // pixels that a press on the handle may move and be a press
const FAST = 0.35; // pixels a ms: a flick decides, wherever the sheet is let go

export class Sheet {
  /**
   * @param {HTMLElement} dialog its class `bare` says that the panel is put away
   * @param {{panel: HTMLElement, body: HTMLElement, handle: HTMLButtonElement, toggles: HTMLButtonElement[]}} parts
   * @param {() => void} onOpen
   */
  constructor(dialog, { panel, body, handle, toggles }, onOpen) {
    Object.assign(this, { dialog, panel, body, handle, toggles, onOpen });
    for (const button of toggles) button.addEventListener("click", () => this.toggle());
    NARROW.addEventListener("change", () => this.#draw());
    this.#watchDrags();
    this.#draw();
  }

  #beside = true; // each way of showing it has a choice of its own
  #drawn = false;

  get open() {
    return NARROW.matches ? this.#drawn : this.#beside;
  }

  toggle(open = !this.open) {
    if (NARROW.matches) this.#drawn = open;
    else this.#beside = open;
    this.#draw();
  }

  #draw() {
    const { open } = this;
    this.panel.style.blockSize = "";
    this.dialog.classList.toggle("bare", !open);
    for (const button of this.toggles) button.setAttribute("aria-expanded", open);
    this.body.inert = NARROW.matches && !open; // what is out of sight is out of the keyboard's way
    if (open) this.onOpen();
    else this.panel.scrollTop = 0;
  }

  #watchDrags() {
    let drag = null;
    this.handle.addEventListener("pointerdown", (event) => {
      if (!NARROW.matches || event.button !== 0 || event.target.closest("a, .actions")) return;
      drag = { from: event.clientY, at: event.timeStamp, height: this.panel.offsetHeight, moved: false };
    });
    this.handle.addEventListener("pointermove", (event) => {
      if (!drag) return;
      const up = drag.from - event.clientY;
      if (!drag.moved && Math.abs(up) < STILL) return;
      if (!drag.moved) this.handle.setPointerCapture(event.pointerId);
      drag.moved = true;
      this.dialog.classList.add("dragged");
      this.panel.style.blockSize = `${drag.height + up}px`;
    });
    const end = (event) => {
      const { moved, from, at } = drag ?? {};
      drag = null;
      if (!moved) return;
      this.dialog.classList.remove("dragged");
      const up = from - event.clientY;
      const fast = Math.abs(up) / (event.timeStamp - at) > FAST;
      const middle = innerHeight * 0.35;
      this.toggle(fast ? up > 0 : this.panel.offsetHeight > middle);
      this.handle.addEventListener("click", (click) => click.stopImmediatePropagation(), { capture: true, once: true });
    };
    this.handle.addEventListener("pointerup", end);
    this.handle.addEventListener("pointercancel", end);
  }
}
