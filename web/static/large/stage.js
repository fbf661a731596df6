// The stage of the large view: a picture that can be zoomed, moved and leafed through, and of which a part can be chosen.

import { Cropper } from "../query/cropper.js";
import { watchGestures } from "./gestures.js";
import { Picture } from "./picture.js";
import { Swipe } from "./swipe.js";
import { Zoom } from "./zoom.js";
import { ZoomTools } from "./zoom-tools.js";

const FAR = 90; // pixels that a finger draws a picture up or down to mean it
const GLIDES = 120; // ms that a zoomed picture goes on as fast as it was let go

export class Stage {
  /**
   * @param {HTMLElement} element
   * @param {{onStep: (step: -1 | 1) => Promise<void>, onUp: () => void, onDown: () => void}} handlers the last two: the
   *   picture was drawn up or down
   */
  constructor(element, { onStep, onUp, onDown }) {
    Object.assign(this, { element, onUp, onDown });
    const part = (id) => element.querySelector(`#${id}`);
    const frame = part("frame");
    this.problem = part("large-problem");
    const layers = { frame, soft: part("large-soft"), sharp: part("large-sharp"), full: part("large-full") };
    this.picture = new Picture(layers, {
      onReady: () => this.#prefetch(),
      onBroken: () => (this.problem.hidden = false),
    });
    this.cropper = new Cropper(frame);
    const tools = new ZoomTools(part("zoom-tools"), () => this.zoom);
    this.zoom = new Zoom(element, frame, (zoom) => this.#zoomed(zoom, tools));
    const strip = { stage: element, strip: part("strip"), before: part("before"), after: part("after") };
    this.swipe = new Swipe(strip, onStep);
    this.#watchGestures();
  }

  #item = null;
  #neighbours = {};

  show(item) {
    this.#item = item;
    this.problem.hidden = true;
    this.cropper.close();
    this.picture.show(item);
    this.zoom.begin(item.width);
  }

  /** @param {{previous: object | null, next: object | null}} neighbours */
  showNeighbours(neighbours) {
    this.#neighbours = neighbours;
    this.swipe.show(neighbours);
  }

  /** Have a box drawn over the picture. @returns {Promise<number[] | null>} the region, or null when it was cancelled */
  async choosePart() {
    this.zoom.reset();
    this.element.classList.add("cropping");
    const region = await this.cropper.open();
    this.element.classList.remove("cropping");
    return region;
  }

  close() {
    this.cropper.close();
    this.#item = null;
  }

  /** So that the next step shows a sharp picture at once. */
  #prefetch() {
    const { next, previous } = this.#neighbours;
    for (const item of [next, previous]) if (item) this.picture.prefetch(item);
  }

  #zoomed(zoom, tools) {
    this.element.classList.toggle("zoomed", zoom.zoomed);
    tools.show(zoom);
    if (this.#item && zoom.zoomed) this.picture.refine(zoom.resolution);
  }

  #watchGestures() {
    watchGestures(this.element, {
      onDrag: (drag) => this.#dragged(drag),
      onDragEnd: (drag) => this.#dropped(drag),
      onPinch: (factor, point, moved) => {
        this.zoom.by(factor, point, { smooth: false });
        this.zoom.move(moved.x, moved.y);
      },
      onWheel: (factor, point) => this.zoom.by(factor, point),
      onTwice: (point) => this.zoom.toggle(point),
    });
  }

  #dragged({ kind, x, y, stepX, stepY }) {
    if (this.zoom.zoomed) this.zoom.move(stepX, stepY);
    else if (kind !== "mouse" && Math.abs(x) > Math.abs(y)) this.swipe.follow({ x });
  }

  #dropped({ kind, x, y, speedX, speedY }) {
    if (this.zoom.zoomed) this.zoom.move(speedX * GLIDES, speedY * GLIDES, { smooth: true });
    else if (kind !== "mouse") this.#swiped(x, y, speedX);
  }

  #swiped(x, y, speedX) {
    const across = Math.abs(x) > Math.abs(y);
    this.swipe.release(across ? { x, speedX } : { x: 0, speedX: 0 });
    if (!across && y < -FAR) this.onUp();
    if (!across && y > FAR) this.onDown();
  }
}
