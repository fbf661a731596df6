// From picture to picture by finger: the picture follows it, its neighbours at both sides, and goes or springs back.

import { thumbnailUrl } from "../shared/api.js";
import { fit } from "./picture.js";

const TAKES = 180; // ms
const FAR = 0.25; // of the stage's width: a picture let go there goes
const FAST = 0.4; // pixels a ms: so does one that is flicked
const GAP = 16; // pixels between pictures, as the style has it
const BEYOND = 0.3; // how much of the finger's way a picture follows where none is behind it

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Swipe {
  /**
   * @param {{stage: HTMLElement, strip: HTMLElement, before: HTMLElement, after: HTMLElement}} parts `strip` is moved;
   *   frames for the neighbours lie in it, a stage's width to each side of the picture
   * @param {(step: -1 | 1) => void} onStep
   */
  constructor({ stage, strip, before, after }, onStep) {
    Object.assign(this, { stage, strip, onStep });
    this.sides = { "-1": before, 1: after };
  }

  #items = {}; // step -> neighbour, or null
  #gliding = null; // animation

  /** Another picture is in the middle now. @param {{previous: object | null, next: object | null}} neighbours */
  show({ previous, next }) {
    this.#items = { "-1": previous, 1: next };
    for (const step of [-1, 1]) this.#fill(this.sides[step], this.#items[step]);
    this.#settle();
  }

  follow({ x }) {
    if (!this.#gliding) this.#move(this.#items[this.#stepOf(x)] ? x : x * BEYOND);
  }

  release({ x, speedX }) {
    if (this.#gliding) return;
    const step = this.#stepOf(x);
    const flicked = Math.abs(speedX) > FAST && Math.sign(speedX) === Math.sign(x);
    const goes = this.#items[step] && (flicked || Math.abs(x) > FAR * this.stage.clientWidth);
    if (goes) this.#glide(x, Math.sign(x) * (this.stage.clientWidth + GAP), () => this.onStep(step));
    else this.#glide(this.#items[step] ? x : x * BEYOND, 0);
  }

  #fill(frame, item) {
    const [image] = frame.children;
    frame.hidden = !item;
    if (!item) {
      image.removeAttribute("src");
      return;
    }
    fit(frame, item);
    image.src = thumbnailUrl(item, 320);
  }

  /** Where lines run from left to right, a picture that goes to the left makes room for the next one. */
  #stepOf(x) {
    const rightToLeft = getComputedStyle(this.stage).direction === "rtl";
    return x < 0 === rightToLeft ? -1 : 1;
  }

  async #glide(from, to, arrived = () => {}) {
    const places = [from, to].map((x) => ({ transform: `translateX(${x}px)` }));
    const options = { duration: still.matches ? 0 : TAKES, easing: "cubic-bezier(0.2, 0.7, 0.3, 1)", fill: "forwards" };
    const gliding = this.strip.animate(places, options);
    this.#gliding = gliding;
    await gliding.finished.catch(() => {}); // it is cancelled when another picture is shown meanwhile
    if (this.#gliding !== gliding) return;
    await arrived(); // which shows the picture that came in, and settles
    if (this.#gliding === gliding) this.#settle();
  }

  #settle() {
    this.#gliding?.cancel();
    this.#gliding = null;
    this.#move(0);
  }

  #move(x) {
    this.strip.style.transform = x ? `translateX(${x}px)` : "";
  }
}
