// Where each page of a long list stands: pages that were laid out exactly, the others by estimate.

import { PAGE } from "./results.js";
import { rowHeight } from "./layout.js";

const LAID = 40; // layouts that are kept, of the pages used last: they hold the pictures
const RATIO = 1.4; // of a usual picture; only until the first page is laid out

export class Strip {
  /** @param {{width: number, gap: number, total: number}} list `total` positions in a grid of that width, in pixels */
  constructor({ width, gap, total }) {
    this.width = width;
    this.gap = gap;
    const target = rowHeight(width);
    this.#each = (target + gap) / Math.max(width / (target * RATIO + gap), 1);
    this.resize(total);
  }

  #each; // estimated pixels of height a picture; it stays as the first page says, so that the scrollbar is calm
  #layouts = new Map(); // page -> layout, the newest last
  #heights = new Map(); // page -> height in pixels, of all that were ever laid out
  #tops = [0]; // of each page, and the end of the last one

  resize(total) {
    this.total = total;
    this.#stack(0);
  }

  get height() {
    return Math.max(this.#tops.at(-1) - this.gap, 0);
  }

  get pages() {
    return this.#tops.length - 1;
  }

  top(number) {
    return this.#tops[number];
  }

  /** What `justify` made of a page, and perhaps more; undefined while nobody did. */
  layout(number) {
    return this.#layouts.get(number);
  }

  lay(number, layout) {
    if (!this.#heights.size) this.#each = (layout.height + this.gap) / Math.max(this.#count(number), 1);
    this.#heights.set(number, layout.height);
    this.#layouts.set(number, layout);
    if (this.#layouts.size > LAID) this.#layouts.delete(this.#layouts.keys().next().value);
    this.#stack(number);
  }

  /** The page at a height: the first or the last one beyond the ends. */
  pageAt(y) {
    let [low, high] = [0, Math.max(this.pages - 1, 0)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #count(number) {
    return Math.min(PAGE, this.total - number * PAGE);
  }

  /** Sums over pages, not pictures: of 100,000 there are 1,667, which takes some microseconds. */
  #stack(from) {
    const pages = Math.ceil(this.total / PAGE);
    this.#tops.length = Math.min(this.#tops.length, pages + 1);
    for (let number = Math.min(from, this.#tops.length - 1); number < pages; number += 1) {
      const height = this.#heights.get(number);
      const taken = height === undefined ? this.#count(number) * this.#each : height + this.gap;
      this.#tops[number + 1] = this.#tops[number] + taken;
    }
  }
}
