// The search box: words as they are typed, and the picture beside them as a chip.

import { messages } from "../shared/messages.js";

const PAUSE = 200; // ms without a key before a search starts by itself

export class SearchBox {
  /**
   * @param {HTMLFormElement} form
   * @param {{onWords: (text: string, settled: boolean) => void, onRemovePicture: () => void, onClear: () => void}} handlers
   *   `settled` is true for Enter, false for a pause in typing.
   */
  constructor(form, { onWords, onRemovePicture, onClear }) {
    this.words = form.querySelector("#words");
    this.chip = form.querySelector("#chip");
    this.clear = form.querySelector("#clear");
    this.onWords = onWords;
    const removePicture = () => {
      onRemovePicture();
      this.words.focus();
    };
    form.addEventListener("submit", (event) => this.#submitted(event));
    this.words.addEventListener("input", (event) => this.#typed(event));
    this.words.addEventListener("keydown", (event) => {
      const atStart = this.words.selectionEnd === 0;
      if (event.key === "Backspace" && atStart && !this.chip.hidden) removePicture();
    });
    this.chip.querySelector("button").addEventListener("click", removePicture);
    this.clear.addEventListener("click", () => {
      onClear();
      this.words.focus();
    });
  }

  #timer = 0;
  #blob = null;

  showWords(text) {
    clearTimeout(this.#timer);
    if (this.words.value.trim() !== text) this.words.value = text;
    this.#showClear();
  }

  /** @param {{url: string, name: string} | null} picture */
  showPicture(picture) {
    const image = this.chip.querySelector("img");
    this.chip.hidden = !picture;
    this.words.placeholder = picture ? messages.refineHint : messages.searchHint;
    if (picture) {
      if (image.getAttribute("src") !== picture.url) image.src = picture.url;
      this.chip.querySelector(".chip-name").textContent = picture.name;
      this.chip.title = picture.name;
    }
    if (this.#blob && this.#blob !== picture?.url) {
      URL.revokeObjectURL(this.#blob);
      this.#blob = null;
    }
    this.#showClear();
  }

  /** Show a file that is on its way to the server. */
  showFile(file) {
    const url = URL.createObjectURL(file);
    this.showPicture({ url, name: messages.yourPicture });
    this.#blob = url;
  }

  focus() {
    this.words.focus();
    this.words.select();
  }

  #showClear() {
    this.clear.hidden = this.chip.hidden && !this.words.value;
  }

  #typed(event) {
    clearTimeout(this.#timer);
    this.#showClear();
    if (event.isComposing) return;
    this.#timer = setTimeout(() => this.onWords(this.words.value.trim(), false), PAUSE);
  }

  #submitted(event) {
    event.preventDefault();
    clearTimeout(this.#timer);
    this.onWords(this.words.value.trim(), true);
  }
}
