// The pictures of one query, or the newest ones: fetched a page at a time, each picture once.

import * as api from "../shared/api.js";
import { hasQuery } from "../query/state.js";

const CUT = 0.1; // relevance ends where no picture is above it: docs/relevance.md

export const PAGE = 60; // about three screens of a desk's display

export class Results {
  /** @param {object} query a state of the page */
  constructor(query) {
    this.query = query;
    this.items = [];
    this.images = null; // how many pictures were searched
    this.matches = null; // how many of them match: `{about, low, high}`, or null where nothing is claimed
    this.noMatch = false;
    this.seconds = null;
    this.joined = null; // "rank" if collections of different models answered
    this.unanswered = []; // collections that were left out
    this.chips = []; // what was read in the box beside what is to be seen
    this.meaning = null; // what of the box is to be seen
    this.scroll = 0;
    this.#next = hasQuery(query) ? 0 : null;
  }

  #cursor = null; // of the next page of hits, while the server keeps the search
  #next; // offset of the next page of hits, or the `before` of the next page of newest images
  #ended = false;
  #ids = new Map();
  #loading = null;

  get complete() {
    return this.#ended;
  }

  /** Position of the picture at which relevance ends; null if none is relevant, and where nothing is claimed. */
  get lastRelevant() {
    const last = this.matches ? this.items.findLastIndex(({ probability }) => probability > CUT) : -1;
    return last < 0 ? null : last;
  }

  /** Fetch the next page; a second call while one is under way waits for the same page. */
  more(count = PAGE, signal = undefined) {
    this.#loading ??= this.#fetch(count, signal).finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** @returns {number} position, or -1 */
  indexOf(id) {
    return this.#ids.get(id) ?? -1;
  }

  async #fetch(count, signal) {
    if (this.#ended) return;
    if (hasQuery(this.query)) await this.#search(count, signal);
    else await this.#newest(count, signal);
  }

  async #search(k, signal) {
    const page = await this.#page(k, signal);
    this.#cursor = page.cursor;
    this.images = page.images;
    this.matches = page.matches;
    this.noMatch = page.no_match ?? false;
    this.seconds ??= page.seconds;
    this.joined = page.joined;
    this.unanswered = page.unanswered;
    if (page.query) {
      // Only the first page, and each that goes on by offset, says how the box was read.
      this.chips = page.chips;
      this.meaning = page.meaning;
    }
    this.#add(page.hits, page.next_offset);
  }

  async #page(k, signal) {
    if (this.#cursor !== null) {
      try {
        return await api.searchOn(this.#cursor, { query: this.query, k, signal });
      } catch (error) {
        if (error.status !== 410) throw error;
      }
    }
    return api.search(this.query, { k, offset: this.#next, signal });
  }

  async #newest(limit, signal) {
    const { collection } = this.query;
    const page = await api.recent({ collection, limit, before: this.#next, signal });
    this.#add(page.images, page.next_before);
  }

  /** Pages that go on by offset may shift while an indexer is at work: pictures already here are not shown twice. */
  #add(items, next) {
    for (const item of items) {
      if (this.#ids.has(item.id)) continue;
      this.#ids.set(item.id, this.items.length);
      this.items.push(item);
    }
    this.#next = next;
    this.#ended = next === null || items.length === 0;
  }
}
