// Where everything of a list of results stands in a grid of some width: pages laid out when they come near the screen.

import { justify } from "./layout.js";
import { PAGE } from "./results.js";
import { Strip } from "./strip.js";

export const GAP = 6;
const LINE = 56; // pixels for the line where relevance ends

export class Arrangement {
  /** @param {import("./results.js").Results | null} results @param {number} width in pixels */
  constructor(results, width) {
    this.results = results;
    this.width = Math.max(width, 1);
    this.#strip = new Strip({ width: this.width, gap: GAP, total: this.total });
  }

  #strip;

  get total() {
    return this.results?.total ?? 0;
  }

  get height() {
    return this.#strip.height;
  }

  /** The list has become longer, or has turned out to be shorter. */
  resize() {
    this.#strip.resize(this.total);
  }

  /** First and last page between two heights. */
  pages(from, to) {
    return this.total ? [this.#strip.pageAt(from), this.#strip.pageAt(to)] : [0, -1];
  }

  /** Where a page stands, laid out or not: `{top, height}`. */
  extent(page) {
    const top = this.#strip.top(page);
    return { top, height: this.#strip.top(page + 1) - top - GAP };
  }

  /** @returns {boolean} whether any of the pages is here and was not laid out */
  layOut(first, last = first) {
    let any = false;
    for (let page = first; page <= last; page += 1) any = this.#layOutOne(page) || any;
    return any;
  }

  /** `{rows, boxes, items}` of a page as `justify` makes them, or undefined while its pictures are not here. */
  page(number) {
    return this.#strip.layout(number);
  }

  #layOutOne(page) {
    const items = this.results?.page(page);
    const line = this.results?.line ?? null;
    const before = this.#strip.layout(page);
    if (!items || (before?.items === items && before.relevance === line)) return false;
    this.#strip.lay(page, { ...this.#rows(page, items, line === null ? -1 : line - page * PAGE), items, relevance: line });
    return true;
  }

  /** With the line in it, `cut` pictures stand above that. */
  #rows(page, items, cut) {
    const ragged = this.results.complete && (page + 1) * PAGE >= this.total;
    if (cut < 0 || cut >= items.length) return justify(items, this.width, { gap: GAP, ragged });
    const above = justify(items.slice(0, cut), this.width, { gap: GAP, ragged: true });
    const below = justify(items.slice(cut), this.width, { gap: GAP, ragged });
    const line = cut ? above.height + GAP : 0;
    const rows = below.rows.map((row) => ({ ...row, start: row.start + cut, end: row.end + cut, y: row.y + line + LINE }));
    const height = line + LINE + below.height;
    return { rows: [...above.rows, ...rows], boxes: [...above.boxes, ...below.boxes], height, line };
  }

  /** What stands between two heights: pictures with their boxes, pages that are not here, and the line's height or null. */
  between(from, to) {
    const found = { pictures: [], missing: [], line: null };
    const [first, last] = this.pages(from, to);
    for (let page = first; page <= last; page += 1) {
      const layout = this.#strip.layout(page);
      if (layout) this.#collect(found, page, layout, from, to);
      else found.missing.push(page);
    }
    return found;
  }

  #collect(found, page, { rows, boxes, items, line }, from, to) {
    const top = this.#strip.top(page);
    if (line !== undefined) found.line = top + line;
    for (const { start, end, y, height } of rows) {
      if (top + y + height < from || top + y > to) continue;
      for (let index = start; index < end; index += 1) {
        found.pictures.push({ position: page * PAGE + index, item: items[index], box: { ...boxes[index], y: top + y, height } });
      }
    }
  }

  /** The row at a height, by the position it begins with, and how far above that height it begins. */
  placeAt(y) {
    if (!this.total) return null;
    const page = this.#strip.pageAt(y);
    const [top, layout] = [this.#strip.top(page), this.#strip.layout(page)];
    if (layout?.rows.length) {
      const row = layout.rows.find((row) => top + row.y + row.height + GAP > y) ?? layout.rows.at(-1);
      return { position: page * PAGE + row.start, above: y - top - row.y };
    }
    const count = Math.min(PAGE, this.total - page * PAGE);
    const each = (this.#strip.top(page + 1) - top) / count;
    const index = Math.min(Math.max(Math.floor((y - top) / each), 0), count - 1);
    return { position: page * PAGE + index, above: y - top - index * each };
  }

  /** What is to stay where it is on a screen between two heights: its first row of pictures, if there are any. */
  anchor(from, to) {
    const [first, last] = this.pages(from, to);
    for (let page = first; page <= last; page += 1) {
      if (!this.#strip.layout(page)?.rows.length) continue;
      const { position } = this.placeAt(Math.max(from, this.#strip.top(page)));
      return { position, above: from - this.heightOf({ position, above: 0 }) };
    }
    return this.placeAt(from);
  }

  /** The position behind a picture's row. */
  endOfRow(position) {
    const page = Math.floor(position / PAGE);
    const row = this.#strip.layout(page)?.rows.find(({ end }) => position % PAGE < end);
    return row ? page * PAGE + row.end : position + 1;
  }

  /** The height of a place, the other way round. */
  heightOf({ position, above }) {
    const page = Math.min(Math.floor(position / PAGE), Math.max(this.#strip.pages - 1, 0));
    const [top, layout] = [this.#strip.top(page), this.#strip.layout(page)];
    if (layout?.rows.length) {
      return top + (layout.rows.find(({ end }) => position % PAGE < end) ?? layout.rows.at(-1)).y + above;
    }
    const count = Math.min(PAGE, this.total - page * PAGE);
    return top + ((position % PAGE) / count) * ((this.#strip.top(page + 1) ?? top) - top) + above;
  }
}
