// The months of the pictures along the edge, where these are sorted by date: to see where one is, and to jump.

import { formatMonth } from "../shared/numbers.js";
import { REACH } from "./results.js";

const APART = 22; // pixels at least between two years' names

export class Timeline {
  /**
   * @param {HTMLElement} rail a slider
   * @param {{onJump: (position: number) => void, onNarrow: (text: string) => void}} handlers `onNarrow`: the month is
   *   further away than a list goes, and is searched for by itself
   */
  constructor(rail, { onJump, onNarrow }) {
    Object.assign(this, { rail, onJump, onNarrow });
    this.years = rail.querySelector(".years");
    this.label = rail.querySelector(".month");
    this.handle = rail.querySelector(".handle");
    rail.addEventListener("keydown", (event) => this.#keyed(event));
    rail.addEventListener("pointerdown", (event) => this.#pressed(event));
    rail.addEventListener("pointermove", (event) => this.#pointed(event));
    rail.addEventListener("pointerup", (event) => this.#released(event));
    rail.addEventListener("pointercancel", () => this.#end());
    rail.addEventListener("pointerleave", () => !this.#held && this.#name(this.#at));
    new ResizeObserver(() => this.#drawYears()).observe(rail);
  }

  #months = []; // `{month, images, box, start}`, in the order of the list
  #total = 0;
  #at = 0; // index of the month on the screen
  #held = false;

  /**
   * @param {{month: string, images: number, box: string}[]} months the newest first
   * @param {"newest" | "oldest"} sort
   */
  show(months, sort) {
    let start = 0;
    this.#months = (sort === "oldest" ? months.toReversed() : months).map((month) => {
      const placed = { ...month, start };
      start += month.images;
      return placed;
    });
    this.#total = start;
    this.rail.hidden = months.length < 2;
    this.rail.setAttribute("aria-valuemax", months.length - 1);
    this.#drawYears();
    this.move(0);
  }

  hide() {
    this.#months = [];
    this.rail.hidden = true;
  }

  /** The position at the top of the screen. */
  move(position) {
    if (this.rail.hidden || this.#held) return;
    this.#at = this.#indexAt(position);
    this.#name(this.#at);
    this.handle.style.insetBlockStart = `${(100 * Math.min(position, this.#total)) / this.#total}%`;
  }

  /** The month that holds a position, by halving. */
  #indexAt(position) {
    let [low, high] = [0, Math.max(this.#months.length - 1, 0)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#months[middle].start <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #name(index) {
    if (!this.#months.length) return;
    const said = formatMonth(this.#months[index].month);
    if (this.label.textContent !== said) this.label.textContent = said;
    this.rail.setAttribute("aria-valuenow", index);
    this.rail.setAttribute("aria-valuetext", said);
  }

  #jump(index, position = this.#months[index].start) {
    this.#at = index;
    this.#name(index);
    this.handle.style.insetBlockStart = `${(100 * position) / this.#total}%`;
    if (position < REACH) this.onJump(position);
  }

  /** A list goes only so far; what lies behind is a search of its own. */
  #settle() {
    if (this.#months[this.#at].start >= REACH) this.onNarrow(this.#months[this.#at].box ?? this.#months[this.#at].month);
  }

  #keyed(event) {
    const last = this.#months.length - 1;
    const year = this.#months[this.#at].month.slice(0, 4);
    const yearAfter = this.#months.findIndex(({ month }, index) => index > this.#at && !month.startsWith(year));
    const target = {
      ArrowDown: this.#at + 1,
      ArrowUp: this.#at - 1,
      PageDown: yearAfter < 0 ? last : yearAfter,
      PageUp: this.#months.findIndex(({ month }) => month.startsWith(this.#months[Math.max(this.#at - 1, 0)].month.slice(0, 4))),
      Home: 0,
      End: last,
    }[event.key];
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#jump(Math.min(Math.max(target, 0), last));
    this.#settle();
  }

  #position({ clientY }) {
    const { top, height } = this.rail.getBoundingClientRect();
    const share = Math.min(Math.max((clientY - top) / height, 0), 1);
    return Math.min(Math.floor(share * this.#total), this.#total - 1);
  }

  #pressed(event) {
    if (event.button) return;
    this.#held = true;
    this.rail.setPointerCapture(event.pointerId);
    this.rail.classList.add("held");
    this.#pointed(event);
  }

  #pointed(event) {
    const position = this.#position(event);
    const index = this.#indexAt(position);
    if (this.#held) this.#jump(index, position);
    else this.#name(index);
    this.label.style.setProperty("--pointed", `${(100 * position) / this.#total}%`);
  }

  #released(event) {
    if (!this.#held) return;
    this.#pointed(event);
    this.#end();
    this.#settle();
  }

  #end() {
    this.#held = false;
    this.rail.classList.remove("held");
  }

  #drawYears() {
    const height = this.rail.clientHeight;
    const drawn = [];
    let last = -Infinity;
    for (const { month, start } of this.#months) {
      const y = (start / this.#total) * height;
      const year = month.slice(0, 4);
      if (drawn.at(-1)?.textContent === year || y - last < APART || height - y < APART / 2) continue;
      drawn.push(yearAt(year, y));
      last = y;
    }
    this.years.replaceChildren(...drawn);
  }
}

function yearAt(year, y) {
  const mark = document.createElement("span");
  mark.textContent = year;
  mark.style.insetBlockStart = `${y}px`;
  return mark;
}
