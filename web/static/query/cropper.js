// A box drawn over a picture, to search for that part: by pointer, by touch, and by keys.

import { say } from "../shared/say.js";
import { WHOLE, isWhole, moved, resized, rounded, spanned } from "./region.js";

const FIRST = [0.25, 0.25, 0.5, 0.5];
const STEP = 0.02; // of the picture, for an arrow key
const DRAWN = 6; // CSS pixels that a pointer must travel before it draws a new box
const HANDLES = [
  ["left", "top"],
  ["top"],
  ["right", "top"],
  ["right"],
  ["right", "bottom"],
  ["bottom"],
  ["left", "bottom"],
  ["left"],
];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Cropper {
  /** @param {HTMLElement} element positioned; the picture fills it, or stands in its middle as `object-fit: contain` does */
  constructor(element) {
    this.element = element;
    new ResizeObserver(() => this.#fit()).observe(element);
  }

  #layer = null;
  #box;
  #said;
  #region;
  #ratio;
  #drag = null;
  #answer = null;

  /**
   * @param {number[] | null} region the box to begin with
   * @param {number | null} ratio of the picture, width to height; null if it fills the element
   * @returns {Promise<number[] | null>} the region, which may be all of the picture; null when it was cancelled
   */
  open({ region = null, ratio = null } = {}) {
    this.close();
    this.#region = region ?? FIRST;
    this.#ratio = ratio;
    this.#build(region !== null);
    this.#fit();
    this.#show();
    this.#box.focus({ preventScroll: true });
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** As if it were cancelled. */
  close() {
    this.#end(null);
  }

  get isOpen() {
    return this.#layer !== null;
  }

  #end(region) {
    this.#layer?.remove();
    this.#layer = null;
    const answer = this.#answer;
    this.#answer = null;
    answer?.(region && rounded(region));
  }

  #build(hadOne) {
    this.#layer = made("div", "cropper");
    const area = made("div", "crop-area");
    this.#box = made("div", "crop-box");
    this.#box.tabIndex = 0;
    this.#box.setAttribute("role", "group");
    this.#box.setAttribute("aria-label", say("query.crop_box"));
    this.#box.append(...HANDLES.map(handle));
    area.append(this.#box);
    this.#said = made("p", "crop-said");
    this.#said.setAttribute("role", "status");
    const buttons = made("div", "crop-buttons");
    buttons.append(button(say("query.crop_cancel"), () => this.close()));
    if (hadOne) buttons.append(button(say("query.crop_whole"), () => this.#end(WHOLE)));
    buttons.append(button(say("query.crop_done"), () => this.#end(this.#region), "primary"));
    this.#layer.append(area, this.#said, buttons);
    this.#listen(area);
    this.element.append(this.#layer);
  }

  #listen(area) {
    area.addEventListener("pointerdown", (event) => this.#began(area, event));
    area.addEventListener("pointermove", (event) => this.#dragged(event));
    for (const end of ["pointerup", "pointercancel"]) area.addEventListener(end, () => this.#ended());
    // What lies below, such as a view that turns pages by swipes and arrow keys, hears nothing of it.
    for (const kind of ["touchstart", "touchend", "wheel"]) {
      this.#layer.addEventListener(kind, (event) => event.stopPropagation(), { passive: true });
    }
    this.#layer.addEventListener("keydown", (event) => {
      event.stopPropagation();
      this.#pressed(event);
    });
  }

  /** The area lies over the picture, wherever that stands in the element. */
  #fit() {
    if (!this.#layer) return;
    const { clientWidth: width, clientHeight: height } = this.element;
    const ratio = this.#ratio ?? width / height;
    const fitted = Math.min(width, height * ratio);
    this.#layer.style.setProperty("--width", `${fitted}px`);
    this.#layer.style.setProperty("--height", `${fitted / ratio}px`);
  }

  #show() {
    ["--left", "--top", "--part", "--tall"].forEach((name, index) => {
      this.#box.style.setProperty(name, this.#region[index]);
    });
  }

  /** For those who cannot see it, once it has come to rest. */
  #tell() {
    const [left, top, width, height] = this.#region.map((part) => `${Math.round(part * 100)} %`);
    this.#said.textContent = isWhole(this.#region) ? say("query.crop_whole") : say("query.crop_at", { left, top, width, height });
  }

  #began(area, event) {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    area.setPointerCapture(event.pointerId);
    this.#box.focus({ preventScroll: true });
    const edges = event.target.dataset.edges?.split(" ") ?? null;
    const kind = edges ? "resize" : event.target === this.#box ? "move" : "draw";
    const { left, top, width, height } = area.getBoundingClientRect();
    const at = ({ clientX, clientY }) => [(clientX - left) / width, (clientY - top) / height];
    this.#drag = { kind, edges, at, from: at(event), x: event.clientX, y: event.clientY, region: this.#region };
  }

  #dragged(event) {
    if (!this.#drag) return;
    const { kind, edges, at, from, x, y, region } = this.#drag;
    if (kind === "draw" && Math.hypot(event.clientX - x, event.clientY - y) < DRAWN) return;
    const to = at(event);
    const [across, down] = [to[0] - from[0], to[1] - from[1]];
    if (kind === "move") this.#region = moved(region, across, down);
    else if (kind === "resize") this.#region = resized(region, edges, across, down);
    else this.#region = spanned(from, to.map((part) => Math.min(Math.max(part, 0), 1)));
    this.#show();
  }

  #ended() {
    if (this.#drag) this.#tell();
    this.#drag = null;
  }

  #pressed(event) {
    const arrow = ARROWS[event.key];
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.target === this.#box) this.#end(this.#region);
    else if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    else {
      const [across, down] = arrow.map((part) => part * STEP);
      this.#region = event.shiftKey
        ? resized(this.#region, ["right", "bottom"], across, down)
        : moved(this.#region, across, down);
      this.#show();
      this.#tell();
    }
    event.preventDefault();
  }
}

function made(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

function handle(edges) {
  const corner = made("span", "crop-handle");
  corner.dataset.edges = edges.join(" ");
  return corner;
}

function button(text, onClick, kind = "") {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `button ${kind}`;
  made.textContent = text;
  made.addEventListener("click", onClick);
  return made;
}
