// How large the picture in the large view is and where it lies: a transform of its frame, moved smoothly.
//
// Places are pixels from the middle of the stage, where the frame lies at rest. A scale of 1 fits the stage.

const TAKES = 160; // ms from one place to another
const FINEST = 4; // device pixels for one of the picture's, at most; and any picture can be enlarged so much
const ONE_STEP = 1.5; // by key or button
const REST = { scale: 1, x: 0, y: 0 };

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Zoom {
  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} frame lies in the middle of it, fitted
   * @param {(zoom: Zoom) => void} onChange
   */
  constructor(stage, frame, onChange) {
    Object.assign(this, { stage, frame, onChange });
    this.natural = 1;
    new ResizeObserver(() => this.#apply(this.#clamped(this.#now))).observe(stage);
  }

  #now = REST;
  #from = REST;
  #to = REST;
  #began = 0;
  #request = 0;

  /** Another picture, `width` pixels wide. */
  begin(width) {
    this.natural = width;
    this.#stop();
    this.#apply(REST);
  }

  get zoomed() {
    return this.#to.scale > 1.001;
  }

  /** Device pixels for one of the picture's. */
  get resolution() {
    return (this.#to.scale * this.frame.offsetWidth * devicePixelRatio) / this.natural;
  }

  /** Larger or smaller, by a step. */
  step(steps) {
    this.by(ONE_STEP ** steps);
  }

  /** @param {{x: number, y: number}} point what stays where it is */
  by(factor, point = { x: 0, y: 0 }, { smooth = true } = {}) {
    this.#go(this.#scaled(smooth ? this.#to : this.#now, factor, point), smooth);
  }

  /** To all of the picture, or from there to its own pixels, but to twice as large at least. */
  toggle(point = { x: 0, y: 0 }) {
    if (this.zoomed) this.reset();
    else this.by(Math.max(2, 1 / this.resolution), point);
  }

  move(x, y, { smooth = false } = {}) {
    const { scale, x: left, y: top } = smooth ? this.#to : this.#now;
    this.#go({ scale, x: left + x, y: top + y }, smooth);
  }

  reset() {
    this.#go(REST, true);
  }

  get #limit() {
    return Math.max(FINEST, (FINEST * this.natural) / (this.frame.offsetWidth * devicePixelRatio || 1));
  }

  #scaled({ scale, x, y }, factor, point) {
    const wanted = Math.min(Math.max(scale * factor, 1), this.#limit);
    const grown = wanted / scale;
    return { scale: wanted, x: point.x - (point.x - x) * grown, y: point.y - (point.y - y) * grown };
  }

  /** A picture wider or higher than the stage fills it; any other stays in its middle. */
  #clamped({ scale, x, y }) {
    const within = (place, length, room) => {
      const most = Math.max(0, (length * scale - room) / 2);
      return Math.min(Math.max(place, -most), most);
    };
    const { stage, frame } = this;
    return { scale, x: within(x, frame.offsetWidth, stage.clientWidth), y: within(y, frame.offsetHeight, stage.clientHeight) };
  }

  #go(place, smooth) {
    this.#to = this.#clamped(place);
    if (!smooth || still.matches) {
      this.#stop();
      this.#apply(this.#to);
      return;
    }
    this.#from = this.#now;
    this.#began = performance.now();
    this.#request ||= requestAnimationFrame(() => this.#animate());
  }

  #animate() {
    const passed = Math.min((performance.now() - this.#began) / TAKES, 1);
    const eased = 1 - (1 - passed) ** 3;
    const between = (name) => this.#from[name] + (this.#to[name] - this.#from[name]) * eased;
    this.#request = passed < 1 ? requestAnimationFrame(() => this.#animate()) : 0;
    this.#draw({ scale: between("scale"), x: between("x"), y: between("y") });
  }

  #stop() {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
  }

  #apply(place) {
    this.#to = place;
    this.#draw(place);
  }

  #draw(place) {
    this.#now = place;
    const rests = place.scale === 1 && !place.x && !place.y;
    this.frame.style.transform = rests ? "" : `translate(${place.x}px, ${place.y}px) scale(${place.scale})`;
    this.onChange(this);
  }
}
