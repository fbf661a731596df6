// The pictures on the map: fetched a few at a time, those that are looked at first, and the last ones kept.

const AT_ONCE = 6;
const KEPT = 300; // a large screen shows half as many

export class Thumbnails {
  /** @param {(id: number) => string} address @param {() => void} onLoad */
  constructor(address, onLoad) {
    this.address = address;
    this.onLoad = onLoad;
  }

  #kept = new Map(); // id -> picture, or null where it cannot be had; the last used is the last
  #wanted = [];
  #loading = new Set();

  /** The picture, or undefined until it is here; null if it cannot be shown. */
  get(id) {
    const picture = this.#kept.get(id);
    if (picture !== undefined) {
      this.#kept.delete(id);
      this.#kept.set(id, picture);
    }
    return picture;
  }

  /** These are to be shown now, the first ones first; what was wanted before is not fetched any more. */
  want(ids) {
    this.#wanted = ids.filter((id) => !this.#kept.has(id) && !this.#loading.has(id));
    this.#next();
  }

  #next() {
    while (this.#loading.size < AT_ONCE && this.#wanted.length) this.#load(this.#wanted.shift());
  }

  async #load(id) {
    this.#loading.add(id);
    const picture = new Image();
    picture.src = this.address(id);
    try {
      await picture.decode();
      this.#kept.set(id, picture);
    } catch {
      this.#kept.set(id, null); // gone, or not a picture any more: its point stays
    }
    this.#loading.delete(id);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
    this.onLoad();
    this.#next();
  }
}
