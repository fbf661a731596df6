// The star beside the title: save this search by a name, or forget it again.

import { say } from "../shared/say.js";

const MARGIN = 8; // CSS pixels

export class Saving {
  /**
   * @param {{star: HTMLButtonElement, form: HTMLFormElement, popover: HTMLElement}} parts
   * @param {Remembered} remembered
   */
  constructor({ star, form, popover }, remembered) {
    Object.assign(this, { star, form, popover, remembered });
    star.addEventListener("click", () => this.#pressed());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.remembered.save(this.#address, this.#field.value.trim() || this.#name);
      this.popover.hidePopover();
      this.#mark();
      this.star.focus();
    });
  }

  #address = "";
  #name = "";

  get #field() {
    return this.form.querySelector("input");
  }

  /** @param {string | null} name of the search, null where there is none to save */
  show(address, name) {
    this.#address = address;
    this.#name = name ?? "";
    this.star.hidden = name === null;
    this.#mark();
  }

  #pressed() {
    if (this.remembered.nameOf(this.#address) !== null) {
      this.remembered.forget("saved", this.#address);
      this.#mark();
      return;
    }
    this.#field.value = this.#name;
    this.popover.showPopover({ source: this.star });
    const { left, bottom } = this.star.getBoundingClientRect();
    const across = Math.max(Math.min(left, document.documentElement.clientWidth - this.popover.offsetWidth - MARGIN), MARGIN);
    this.popover.style.setProperty("inset", `${bottom + MARGIN}px auto auto ${across}px`);
    this.#field.select();
  }

  #mark() {
    const saved = this.remembered.nameOf(this.#address) !== null;
    this.star.setAttribute("aria-pressed", saved);
    this.star.title = say(saved ? "query.forget_saved" : "query.save");
  }
}
