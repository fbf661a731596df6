// What part of the map is on the screen: its middle, and how many pixels a unit of the map takes.

export const SIDE = 65535;
const MARGIN = 0.94; // of the screen, that the whole map fills at first
const CLOSEST = 300; // times closer than that

export class Camera {
  x = SIDE / 2;
  y = SIDE / 2;
  width = 1; // of the screen, in CSS pixels
  height = 1;
  #zoom = 1;

  /** 1 where the whole map is seen. */
  get zoom() {
    return this.#zoom;
  }

  /** CSS pixels a unit. */
  get scale() {
    return (this.#zoom * MARGIN * Math.min(this.width, this.height)) / SIDE;
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
  }

  /** @param {{x?: number, y?: number, zoom?: number}} view what is left out stays */
  look({ x = this.x, y = this.y, zoom = this.#zoom }) {
    this.#zoom = Math.min(Math.max(zoom, 1), CLOSEST);
    this.x = Math.min(Math.max(x, 0), SIDE);
    this.y = Math.min(Math.max(y, 0), SIDE);
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toMap(left, top) {
    return [(left - this.width / 2) / this.scale + this.x, (top - this.height / 2) / this.scale + this.y];
  }

  /** Move what is shown by so many pixels. */
  pan(across, down) {
    this.look({ x: this.x - across / this.scale, y: this.y - down / this.scale });
  }

  /** Zoom so that what is at a place of the screen stays there. */
  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toMap(left, top);
    this.look({ zoom: this.#zoom * factor });
    const [nowX, nowY] = this.toMap(left, top);
    this.look({ x: this.x + x - nowX, y: this.y + y - nowY });
  }

  /** The part that is seen, and a little around it, in units of the map. */
  get part() {
    const [left, top] = this.toMap(0, 0);
    const [right, bottom] = this.toMap(this.width, this.height);
    return { left, top, right, bottom };
  }
}
