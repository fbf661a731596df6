// How the results are sorted, and whether duplicates are shown once.

import { say } from "../shared/say.js";
import { hasQuery } from "../query/state.js";

const SORTS = ["newest", "oldest", "name", "rating"];

export class Order {
  /**
   * @param {{select: HTMLSelectElement, collapse: HTMLInputElement}} elements
   * @param {(change: {sort: string | null} | {collapse: boolean}) => void} onChange
   */
  constructor({ select, collapse }, onChange) {
    Object.assign(this, { select, collapse });
    select.addEventListener("change", () => onChange({ sort: select.value || null }));
    collapse.addEventListener("change", () => onChange({ collapse: collapse.checked }));
  }

  /** @param {object} state as in state.js @param {boolean} joint hits of several collections have one order only */
  show(state, joint) {
    const usual = hasQuery(state) ? "results.by_relevance" : "results.by_added";
    this.select.replaceChildren(
      new Option(say(usual), ""),
      ...SORTS.map((sort) => new Option(say(`results.by_${sort}`), sort)),
    );
    this.select.value = state.sort ?? "";
    this.select.disabled = joint;
    this.collapse.checked = state.collapse;
    this.collapse.closest("label").hidden = !hasQuery(state) || joint;
  }
}
