// The points of the map, and which of them lie where.

const SIDE = 65536; // places run from 0 to 65,535
const CELLS = 64; // a side of the grid that they are found by
const CELL = SIDE / CELLS;

export class Points {
  /** @param {ArrayBuffer} buffer int64 ids, uint16 x, uint16 y: as `/api/map/points` answers */
  constructor(buffer) {
    this.count = buffer.byteLength / 12;
    this.ids = Float64Array.from(new BigInt64Array(buffer, 0, this.count), Number);
    this.xs = new Uint16Array(buffer, 8 * this.count, this.count);
    this.ys = new Uint16Array(buffer, 10 * this.count, this.count);
    this.#sort();
  }

  #starts = new Uint32Array(CELLS * CELLS + 1); // where the points of each cell begin in `#order`
  #order;

  /** Counting sort by cell. */
  #sort() {
    const cells = new Uint16Array(this.count);
    for (let i = 0; i < this.count; i += 1) {
      cells[i] = Math.floor(this.ys[i] / CELL) * CELLS + Math.floor(this.xs[i] / CELL);
      this.#starts[cells[i] + 1] += 1;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell += 1) this.#starts[cell + 1] += this.#starts[cell];
    const next = this.#starts.slice();
    this.#order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i += 1) this.#order[next[cells[i]]++] = i;
  }

  /**
   * Calls `visit` with the position of every point in a part of the map, and of some just outside it.
   * @param {{left: number, top: number, right: number, bottom: number}} part
   * @param {(index: number) => void} visit
   */
  within({ left, top, right, bottom }, visit) {
    const [first, last] = [cellOf(left), cellOf(right)];
    for (let row = cellOf(top); row <= cellOf(bottom); row += 1) {
      const end = this.#starts[row * CELLS + last + 1];
      for (let place = this.#starts[row * CELLS + first]; place < end; place += 1) visit(this.#order[place]);
    }
  }

  /** The position of the point nearest to a place, at most so far away; -1 if there is none. */
  nearest(x, y, most) {
    let found = -1;
    let least = most * most;
    this.within({ left: x - most, top: y - most, right: x + most, bottom: y + most }, (i) => {
      const away = (this.xs[i] - x) ** 2 + (this.ys[i] - y) ** 2;
      if (away <= least) [found, least] = [i, away];
    });
    return found;
  }

  /** @returns {number} position, or -1; ids are ascending */
  indexOf(id) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return this.ids[low] === id ? low : -1;
  }
}

const cellOf = (place) => Math.min(Math.max(Math.floor(place / CELL), 0), CELLS - 1);
