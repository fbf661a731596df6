// The search box: words, filters and all, as they are typed.

import { say } from "../shared/say.js";

const PAUSE = 200; // ms without a key before a search starts by itself

export class SearchBox {
  /**
   * @param {HTMLFormElement} form
   * @param {{onWords: (text: string, settled: boolean) => void, onRemoveLast: () => void, onClear: () => void}} handlers
   *   `settled` is true for Enter, false for a pause in typing; `onRemoveLast` is for Backspace where nothing is left to delete
   */
  constructor(form, { onWords, onRemoveLast, onClear }) {
    this.words = form.querySelector("#words");
    this.clear = form.querySelector("#clear");
    this.onWords = onWords;
    form.addEventListener("submit", (event) => this.#submitted(event));
    this.words.addEventListener("input", (event) => this.#typed(event));
    this.words.addEventListener("compositionend", (event) => this.#typed(event));
    this.words.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && this.words.selectionEnd === 0 && !event.repeat) onRemoveLast();
    });
    this.clear.addEventListener("click", () => {
      onClear();
      this.words.focus();
    });
  }

  #timer = 0;

  /** As it stands there now, searched for or not yet. */
  get text() {
    return this.words.value.trim();
  }

  /** @param {boolean} more whether something else is searched by */
  show(text, more) {
    clearTimeout(this.#timer);
    if (this.text !== text) this.words.value = text;
    this.words.placeholder = say(more ? "query.refine_hint" : "query.hint");
    this.clear.hidden = !more && !this.words.value;
  }

  focus() {
    this.words.focus();
    this.words.select();
  }

  /** Hold other words, with the cursor after them, as if they had been typed: more may follow. */
  write(text) {
    this.words.value = text;
    this.words.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  #typed({ isComposing }) {
    clearTimeout(this.#timer);
    this.clear.hidden &&= !this.words.value;
    if (!isComposing) this.#timer = setTimeout(() => this.onWords(this.text, false), PAUSE);
  }

  #submitted(event) {
    event.preventDefault();
    clearTimeout(this.#timer);
    this.onWords(this.text, true);
  }
}
