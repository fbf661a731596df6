// Which collection is searched, where several are served: one of them, or all together.

import * as api from "./api.js";
import { say } from "./say.js";

export class CollectionChoice {
  /**
   * @param {HTMLSelectElement} select
   * @param {(collection: string | null) => void} onChoice
   * @param {{all?: boolean}} options whether all can be meant, which is null
   */
  constructor(select, onChoice, { all = true } = {}) {
    this.select = select;
    this.all = all;
    select.addEventListener("change", () => onChoice(select.value || null));
  }

  /** With one collection there is nothing to choose, and nothing is shown. */
  async load(chosen) {
    const collections = await api.collections();
    if (collections.length < 2) return;
    const all = this.all ? [new Option(say("common.all_collections"), "")] : [];
    this.select.replaceChildren(...all, ...collections.map(option));
    this.select.hidden = false;
    this.show(chosen ?? (this.all ? null : collections[0].name));
  }

  show(collection) {
    this.select.value = collection ?? "";
  }
}

function option({ name, problem }) {
  const choice = new Option(problem === null ? name : say("common.is_away", { name }), name);
  choice.disabled = problem !== null;
  choice.title = problem ?? "";
  return choice;
}
