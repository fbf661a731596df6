// Results that were shown before, for going back without waiting.

import { queryKey } from "../query/state.js";

const KEPT = 20;

export class KeptResults {
  #kept = new Map(); // query key -> Results, the newest last

  keep(results) {
    const key = queryKey(results.query);
    this.#kept.delete(key);
    this.#kept.set(key, results);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }

  of(state) {
    return this.#kept.get(queryKey(state)) ?? null;
  }

  /** An image that is among any of them, or null. */
  item(reference) {
    for (const results of this.#kept.values()) {
      const index = results.indexOf(reference);
      if (index >= 0) return results.item(index);
    }
    return null;
  }

  forget() {
    this.#kept.clear();
  }
}
