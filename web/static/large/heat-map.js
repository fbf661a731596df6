// Where in the picture a part of the search is: a map laid over it, off until it is asked for.

import { RequestFailed } from "../shared/api.js";
import { say } from "../shared/say.js";
import { heatMap } from "./requests.js";

const keyOf = ({ kind, ref, region = null }) => `${kind}:${ref}:${region}`;

export class HeatMap {
  #on = false; // stays on from picture to picture
  #chosen = null; // key of the part whose map was asked for
  #item = null;
  #parts = [];
  #abort = null;
  #shown = null; // object URL of the map on the screen

  /**
   * @param {{button: HTMLButtonElement, layer: HTMLImageElement, caption: HTMLElement, legend: HTMLElement,
   *   status: HTMLElement}} elements
   * @param {() => void} onChange it was put on or off, or another part was chosen
   */
  constructor({ button, layer, caption, legend, status }, onChange) {
    Object.assign(this, { button, layer, caption, legend, status, onChange });
    button.addEventListener("click", () => this.toggle());
  }

  /**
   * Another picture, or another search.
   * @param {import("./terms.js").Part[]} parts those that have maps, the most telling first
   */
  show(item, parts) {
    this.#item = item;
    this.#parts = parts;
    this.button.hidden = !parts.length;
    this.#draw();
  }

  /** When the large view closes: the next one begins without a map. */
  close() {
    this.#on = false;
    this.#item = null;
    this.#chosen = null;
    this.#draw();
  }

  toggle() {
    if (this.button.hidden) return;
    this.#on = !this.#on;
    this.#draw();
  }

  /** That part's map; off if it is on. */
  choose(part) {
    this.#on = !this.shows(part);
    this.#chosen = keyOf(part);
    this.#draw();
  }

  shows(part) {
    return this.#on && this.#part !== undefined && keyOf(this.#part) === keyOf(part);
  }

  get #part() {
    return this.#parts.find((part) => keyOf(part) === this.#chosen) ?? this.#parts[0];
  }

  async #draw() {
    this.#abort?.abort();
    this.#abort = null;
    this.button.setAttribute("aria-pressed", this.#on);
    this.button.removeAttribute("aria-busy");
    this.legend.hidden = true;
    this.#lay(null);
    this.#tell("");
    this.onChange();
    if (this.#on && this.#item && this.#part) await this.#fetch(this.#item, this.#part);
  }

  async #fetch(item, part) {
    const abort = new AbortController();
    this.#abort = abort;
    this.button.setAttribute("aria-busy", "true");
    this.#tell(say("large.heat_busy"));
    try {
      const { blob, flat } = await heatMap(item.id, part.ask, abort.signal);
      if (abort.signal.aborted) return;
      this.#lay(blob);
      this.legend.hidden = flat;
      this.#tell(flat ? say("large.heat_flat", { what: part.label }) : say("large.heat_shown", { what: part.label }));
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      this.#tell(say("large.heat_failed", { reason: error.message }));
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

  #tell(text) {
    this.status.textContent = text;
    this.caption.hidden = !text;
  }
}
