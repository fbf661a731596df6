// The pictures of one query, or the newest ones. They have positions; a page of them can be fetched from anywhere in the
// list, and only the pages looked at last are kept.

import * as api from "../shared/api.js";
import { hasQuery } from "../query/state.js";
import { partsOf } from "../shared/reference.js";

const CUT = 0.1; // relevance ends where no picture is above it: docs/relevance.md
const KEPT = 120; // pages in memory: 7,200 pictures, about 10 MB

export const PAGE = 60; // pictures: about three screens of a desk's display
export const REACH = 100_000; // positions that the server goes to

export class Results {
  /** @param {object} query a state of the page */
  constructor(query) {
    this.query = query;
    this.images = null; // how many pictures were searched
    this.matches = null; // how many of them match: `{about, low, high}`, or null where nothing is claimed
    this.noMatch = false;
    this.seconds = null;
    this.joined = null; // "rank" or "score" if several collections answered
    this.unanswered = []; // collections that were left out
    this.chips = []; // what was read in the box beside what is to be seen
    this.meaning = null; // what of the box is to be seen
    this.total = 0; // positions, as far as is known
    this.complete = false; // whether there are no more
    this.line = null; // position at which relevance ends; null if none is relevant, and where nothing is claimed
    this.place = null; // where the grid was when it showed something else
  }

  #pages = new Map(); // number -> items, the one used last at the end
  #positions = new Map(); // id -> position, of what is in memory
  #loading = new Map(); // number -> promise
  #cursors = new Map(); // number -> cursor; of several collections, whose hits come only in their order
  #cursor = null; // of the search while the server keeps it
  #newest = null; // id of the first picture, where there is no query: what is indexed meanwhile moves nothing
  #judged = 0; // pages looked through for the line

  /** The pictures of a page, or undefined while it is not here. */
  page(number) {
    return this.#pages.get(number);
  }

  item(position) {
    return this.#pages.get(Math.floor(position / PAGE))?.[position % PAGE];
  }

  /** @returns {number} position, or -1 */
  indexOf(id) {
    return this.#positions.get(id) ?? -1;
  }

  get loaded() {
    return [...this.#pages.values()].flat();
  }

  /** Come back to a place without going the whole way: there may be pictures as far as that. */
  loadAt(position, signal) {
    const page = Math.floor(position / PAGE);
    if (!this.complete) this.total = Math.max(this.total, Math.min((page + 1) * PAGE, REACH));
    return this.load(page, signal);
  }

  /** The nearest picture from a position on, upwards or downwards, fetched if need be; undefined beyond the ends. */
  async nearest(position, step) {
    for (let at = position; at >= 0 && (step < 0 || at < this.total); at += step) {
      await this.load(Math.floor(at / PAGE));
      if (this.item(at)) return this.item(at); // else images were removed here
    }
    return undefined;
  }

  /** Fetch a page. A second call while it is under way waits for the same answer. */
  load(number, signal = undefined) {
    if (this.#pages.has(number)) {
      this.#keep(number, this.#pages.get(number));
      return Promise.resolve();
    }
    if (!this.#loading.has(number)) {
      const loading = this.#fetch(number, signal).finally(() => this.#loading.delete(number));
      this.#loading.set(number, loading);
    }
    return this.#loading.get(number);
  }

  async #fetch(number, signal) {
    const inOrder = this.joined !== null && number > 0;
    if (inOrder && !this.#cursors.has(number)) await this.load(number - 1, signal);
    if (number > 0 && number * PAGE >= this.total) return; // the list has turned out to be shorter
    if (this.#searches) await this.#search(number, signal);
    else await this.#recent(number, signal);
  }

  /** Whether the server has to search; else it lists the images that were added last. */
  get #searches() {
    return Boolean(hasQuery(this.query) || this.query.sort);
  }

  async #search(number, signal) {
    const page = await this.#found(number, signal);
    if (page.query) this.#begun(page);
    if (this.joined === null) this.#cursor = page.cursor ?? this.#cursor;
    else this.#cursors.set(number + 1, page.cursor);
    const listed = page.hits[0]?.score === null;
    this.#add(number, page.hits, page.next_offset === null, listed ? page.matched : null);
    this.#judge();
  }

  /** What only the first answer of a search tells. */
  #begun(page) {
    this.images = page.images;
    this.matches = page.matches;
    this.noMatch = page.no_match ?? false;
    this.seconds ??= page.seconds;
    this.joined = page.joined;
    this.unanswered = page.unanswered;
    this.chips = page.chips;
    this.meaning = page.meaning;
  }

  async #found(number, signal) {
    const offset = number * PAGE;
    const cursor = this.#cursors.get(number) ?? this.#cursor;
    if (cursor !== null) {
      try {
        const from = this.joined === null ? { offset } : {};
        return await api.searchOn(cursor, { query: this.query, k: PAGE, signal, ...from });
      } catch (error) {
        if (error.status !== 410) throw error;
      }
    }
    return api.search(this.query, { k: PAGE, offset, signal });
  }

  async #recent(number, signal) {
    const before = this.#newest === null ? null : this.#newest + 1;
    const { collection } = this.query;
    const page = await api.recent({ collection, limit: PAGE, before, offset: number * PAGE, signal });
    this.#newest ??= page.images.length ? partsOf(page.images[0].id).id : null;
    this.#add(number, page.images, page.next_before === null, page.total ?? this.total);
  }

  /**
   * @param {boolean} last nothing follows
   * @param {number | null} total of positions, where it is known; else one page more than there are is expected
   */
  #add(number, all, last, total) {
    const items = all.filter(({ id }) => !this.#positions.has(id)); // where images were removed, the others moved up
    const end = number * PAGE + (last ? items.length : PAGE);
    if (last) this.total = end;
    else if (total !== null) this.total = Math.min(total, REACH);
    else this.total = Math.min(Math.max(this.total, end + PAGE), REACH);
    this.complete = last || total !== null || this.complete;
    items.forEach((item, place) => this.#positions.set(item.id, number * PAGE + place));
    this.#keep(number, items);
  }

  #keep(number, items) {
    this.#pages.delete(number);
    this.#pages.set(number, items);
    if (this.#pages.size <= KEPT) return;
    const [oldest, gone] = this.#pages.entries().next().value;
    this.#pages.delete(oldest);
    for (const { id } of gone) this.#positions.delete(id);
  }

  /** Find the line, page after page; where it has been drawn it stays. */
  #judge() {
    if (!this.matches || this.noMatch) return;
    for (let page; this.line === null && (page = this.#pages.get(this.#judged)); this.#judged += 1) {
      const relevant = page.findLastIndex(({ probability }) => probability > CUT) + 1;
      if (relevant < page.length) this.line = this.#judged * PAGE + relevant;
    }
    if (this.line !== 0) return;
    this.line = null; // none is relevant: no line before the first picture
    this.#judged = Infinity;
  }
}
