// The elements of the grid: cells of pictures, blanks for pages on their way, the line. Each picture keeps its element.

import { describeCell, dropCell, newCell, placeCell } from "./cells.js";

export class Drawing {
  /** @param {HTMLElement} element @param {() => HTMLElement} newLine what stands where relevance ends */
  constructor(element, newLine) {
    this.element = element;
    this.newLine = newLine;
  }

  #cells = new Map(); // id -> {cell, position, version, reachable, box}
  #blanks = new Map(); // top and height -> <li>: never moved, as what moves on the screen is noticed
  #line = null;

  /** The link of a picture, if that is drawn. */
  link(id) {
    return this.#cells.get(id)?.cell.firstElementChild;
  }

  /**
   * @param {{position: number, item: object, box: object}[]} pictures in order; all others go, but for the one that holds
   *   the keyboard
   * @param {{version: number, active: number, describe: (picture: object) => object}} how `describe` makes what
   *   `describeCell` takes; it is asked again when `version` has changed
   */
  draw(pictures, how) {
    const wanted = new Set(pictures.map(({ item }) => item.id));
    this.#drop(wanted);
    const kept = new Set([...wanted].map((id) => this.#cells.get(id)?.cell));
    let next = this.#skip(this.element.firstElementChild, kept);
    for (const picture of pictures) {
      const entry = this.#entry(picture.item);
      if (entry.cell === next) next = this.#skip(next.nextElementSibling, kept);
      else this.element.insertBefore(entry.cell, next);
      this.#update(entry, picture, how);
    }
  }

  /** Which of the cells Tab reaches. */
  reach(active) {
    for (const entry of this.#cells.values()) {
      entry.reachable = entry.position === active;
      entry.cell.firstElementChild.tabIndex = entry.reachable ? 0 : -1;
    }
  }

  /** @param {{top: number, height: number}[]} extents of pages that are not here */
  drawBlanks(extents) {
    const wanted = new Map(extents.map((extent) => [`${extent.top} ${extent.height}`, extent]));
    for (const [key, blank] of this.#blanks) {
      if (wanted.has(key)) continue;
      blank.remove();
      this.#blanks.delete(key);
    }
    for (const [key, extent] of wanted) {
      if (!this.#blanks.has(key)) this.#blanks.set(key, this.element.appendChild(newBlank(extent)));
    }
  }

  /** @param {number | null} y @param {number | null} id of the picture behind it */
  drawLine(y, id) {
    if (y === null) {
      this.#line?.remove();
      return;
    }
    this.#line ??= this.newLine();
    this.#line.style.insetBlockStart = `${y}px`;
    const behind = this.#cells.get(id)?.cell ?? null;
    if (!this.#line.isConnected || this.#line.nextElementSibling !== behind) this.element.insertBefore(this.#line, behind);
  }

  #drop(wanted) {
    for (const [id, { cell }] of this.#cells) {
      if (wanted.has(id) || cell.contains(document.activeElement)) continue; // the keyboard is not to be lost
      dropCell(cell);
      this.#cells.delete(id);
    }
  }

  /** Past what is not one of these cells: moved in the document, an element loses the keyboard. */
  #skip(element, kept) {
    let next = element;
    while (next && !kept.has(next)) next = next.nextElementSibling;
    return next;
  }

  #entry(item) {
    if (!this.#cells.has(item.id)) this.#cells.set(item.id, { cell: newCell(item), version: -1 });
    return this.#cells.get(item.id);
  }

  #update(entry, picture, { version, active, describe }) {
    const { position, item, box } = picture;
    const moved = ["x", "y", "width", "height"].some((side) => entry.box?.[side] !== box[side]);
    if (moved) placeCell(entry.cell, item, box);
    const reachable = position === active;
    const changed = entry.version !== version || entry.position !== position || entry.reachable !== reachable;
    Object.assign(entry, { box, position, version, reachable });
    if (changed) describeCell(entry.cell, item, { position, reachable, ...describe(picture) });
  }
}

function newBlank({ top, height }) {
  const blank = document.createElement("li");
  blank.style.insetBlockStart = `${top}px`;
  blank.style.blockSize = `${height}px`;
  blank.className = "blank";
  blank.setAttribute("aria-hidden", "true");
  return blank;
}
