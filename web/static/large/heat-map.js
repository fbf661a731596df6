// Why a picture matched: the heat map of the present query over the picture, off until it is asked for.

import * as api from "../shared/api.js";
import { messages } from "../shared/messages.js";
import { hasQuery } from "../query/state.js";

export class HeatMap {
  #on = false; // stays on from picture to picture
  #item = null;
  #query = null;
  #abort = null;
  #shown = null; // object URL of the map on the screen

  /** @param {{button: HTMLButtonElement, layer: HTMLImageElement, legend: HTMLElement, status: HTMLElement}} parts */
  constructor({ button, layer, legend, status }) {
    Object.assign(this, { button, layer, legend, status });
    button.addEventListener("click", () => this.toggle());
  }

  /** Another picture, or another query: `{text, terms}` as in state.js. */
  show(item, query) {
    this.#item = item;
    this.#query = query;
    this.button.hidden = !hasQuery(query);
    this.#draw();
  }

  /** When the large view closes: the next one begins without a map. */
  close() {
    this.#on = false;
    this.#item = null;
    this.#draw();
  }

  toggle() {
    if (this.button.hidden) return;
    this.#on = !this.#on;
    this.#draw();
  }

  async #draw() {
    this.#abort?.abort();
    this.#abort = null;
    this.button.setAttribute("aria-pressed", this.#on);
    this.button.removeAttribute("aria-busy");
    this.legend.hidden = true;
    this.#lay(null);
    this.#say("");
    if (this.#on && this.#item && !this.button.hidden) await this.#fetch(this.#item);
  }

  async #fetch(item) {
    const abort = new AbortController();
    this.#abort = abort;
    this.button.setAttribute("aria-busy", "true");
    this.#say(messages.why.busy);
    try {
      const { blob, flat } = await api.heatMap(item, this.#query, abort.signal);
      if (abort.signal.aborted) return;
      this.#lay(blob);
      this.legend.hidden = flat;
      this.#say(flat ? messages.why.flat : messages.why.shown);
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof api.RequestFailed)) throw error;
      this.#say(messages.why.failed(error.message));
    }
    this.button.removeAttribute("aria-busy");
  }

  #lay(blob) {
    if (this.#shown) URL.revokeObjectURL(this.#shown);
    this.#shown = blob && URL.createObjectURL(blob);
    this.layer.hidden = !blob;
    if (blob) this.layer.src = this.#shown;
    else this.layer.removeAttribute("src");
  }

  #say(text) {
    this.status.textContent = text;
    this.status.hidden = !text;
  }
}
