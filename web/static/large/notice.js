// A line over the picture that says what was done, with a way back; it goes by itself unless somebody is at it.

const STAYS = 8000; // ms

export class Notice {
  /** @param {HTMLElement} element holds a text and a button */
  constructor(element) {
    this.element = element;
    this.text = element.querySelector("span");
    this.button = element.querySelector("button");
    this.button.addEventListener("click", () => {
      this.hide();
      this.#act?.();
    });
    for (const name of ["pointerenter", "focusin"]) element.addEventListener(name, () => clearTimeout(this.#timer));
    for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, () => this.#goLater());
  }

  #timer = 0;
  #act = null;

  /** @param {{label: string, act: () => void} | null} action */
  show(text, action = null) {
    this.text.textContent = text;
    this.#act = action?.act ?? null;
    this.button.hidden = !action;
    this.button.textContent = action?.label ?? "";
    this.element.classList.add("shown");
    this.#goLater();
  }

  hide() {
    clearTimeout(this.#timer);
    this.element.classList.remove("shown");
    this.button.hidden = true;
    this.text.textContent = "";
  }

  #goLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), STAYS);
  }
}
