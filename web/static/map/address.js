// Where on the map the visitor is, in the address: `/map?q=words#x=0.5&y=0.5&zoom=4`, places as shares of the map's side.

import { SIDE } from "./camera.js";

const LATER = 250; // ms after the last move

/** @returns {{x?: number, y?: number, zoom?: number}} what is there and is a number */
export function viewOf(hash) {
  const found = new URLSearchParams(hash.slice(1));
  const number = (name) => (found.has(name) ? Number(found.get(name)) : Number.NaN);
  const view = { x: number("x") * SIDE, y: number("y") * SIDE, zoom: number("zoom") };
  return Object.fromEntries(Object.entries(view).filter(([, value]) => Number.isFinite(value)));
}

/** Writes it down, once the visitor has come to rest. */
export class Remembered {
  #timer = 0;

  note({ x, y, zoom }) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const view = { x: (x / SIDE).toFixed(4), y: (y / SIDE).toFixed(4), zoom: zoom.toFixed(2) };
      history.replaceState(history.state, "", `${location.search}#${new URLSearchParams(view)}`);
    }, LATER);
  }
}
