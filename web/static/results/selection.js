// Pictures that were chosen: by their checkbox, a long press, `x`, a range with Shift, or all that are here.

const LONG = 450; // ms that a finger rests for a long press
const SLIP = 10; // pixels that it may move meanwhile

export class Selection {
  /** @param {import("./grid.js").Grid} grid @param {() => void} onChange */
  constructor(grid, onChange) {
    this.grid = grid;
    this.onChange = onChange;
    const { element } = grid;
    element.addEventListener("click", (event) => this.#clicked(event), { capture: true });
    element.addEventListener("keydown", (event) => this.#keyed(event));
    document.addEventListener("keydown", (event) => this.#keyedAnywhere(event));
    this.#watchLongPresses(element);
  }

  #chosen = new Map(); // id -> item
  #anchor = null; // position that a range begins at
  #pressed = false; // a long press has just been answered: the click that ends it means nothing

  get size() {
    return this.#chosen.size;
  }

  get items() {
    return [...this.#chosen.values()];
  }

  has(id) {
    return this.#chosen.has(id);
  }

  clear() {
    if (!this.size) return;
    this.#chosen.clear();
    this.#anchor = null;
    this.#changed();
  }

  /** Choose a picture or leave it out; as a range, all from the one before like it. */
  #toggle(position, range = false) {
    const item = this.grid.results.item(position);
    if (!item) return;
    const choose = !this.has(item.id);
    const from = range && this.#anchor !== null ? this.#anchor : position;
    for (let at = Math.min(from, position); at <= Math.max(from, position); at += 1) this.#set(at, choose || from !== position);
    this.#anchor = position;
    this.#changed();
  }

  #set(position, chosen) {
    const item = this.grid.results.item(position);
    if (!item) return; // of a range, what was fetched
    if (chosen) this.#chosen.set(item.id, item);
    else this.#chosen.delete(item.id);
  }

  #all() {
    for (const item of this.grid.results.loaded) this.#chosen.set(item.id, item);
    this.#changed();
  }

  #changed() {
    this.grid.element.classList.toggle("selecting", this.size > 0);
    this.grid.update();
    this.onChange();
  }

  /** While some are chosen a click on a picture chooses, too; Enter opens it. */
  #clicked(event) {
    const position = this.grid.positionOf(event.target);
    if (position === null || event.target.closest("button")) return;
    const byPointer = event.detail > 0;
    const check = event.target.closest(".check");
    const meant = check || (byPointer && (this.size > 0 || event.shiftKey) && !event.ctrlKey && !event.metaKey);
    if (!meant && !this.#pressed) return;
    event.stopPropagation();
    if (!check) event.preventDefault();
    if (!this.#pressed) this.#toggle(position, event.shiftKey);
    this.#pressed = false;
  }

  #keyed(event) {
    if (event.key.toLowerCase() !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    const position = this.grid.positionOf(event.target);
    if (position !== null) this.#toggle(position, event.shiftKey);
  }

  #keyedAnywhere(event) {
    if (document.querySelector("dialog:modal") || event.target.matches?.("input:not(.check), textarea, select")) return;
    if (event.key === "Escape") this.clear();
    if (event.key.toLowerCase() !== "a" || !(event.ctrlKey || event.metaKey) || !this.grid.results) return;
    event.preventDefault();
    this.#all();
  }

  #watchLongPresses(element) {
    let timer = 0;
    let start = null;
    const end = () => clearTimeout(timer);
    element.addEventListener("pointerdown", (event) => {
      this.#pressed = false;
      const position = event.pointerType === "touch" ? this.grid.positionOf(event.target) : null;
      if (position === null) return;
      start = event;
      timer = setTimeout(() => {
        this.#pressed = true;
        this.#toggle(position);
      }, LONG);
    });
    element.addEventListener("pointermove", (event) => {
      if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > SLIP) end();
    });
    for (const name of ["pointerup", "pointercancel", "scroll"]) element.addEventListener(name, end);
    element.addEventListener("contextmenu", (event) => start?.pointerType === "touch" && event.preventDefault());
  }
}
