// Which collection is searched, where several are served: one of them, or all together.

import * as api from "./api.js";
import { messages } from "./messages.js";

export class CollectionChoice {
  /** @param {HTMLSelectElement} select @param {(collection: string | null) => void} onChoice */
  constructor(select, onChoice) {
    this.select = select;
    select.addEventListener("change", () => onChoice(select.value || null));
  }

  /** With one collection there is nothing to choose, and nothing is shown. */
  async load(chosen) {
    const collections = await api.collections();
    if (collections.length < 2) return;
    this.select.replaceChildren(new Option(messages.allCollections, ""), ...collections.map(option));
    this.select.hidden = false;
    this.show(chosen);
  }

  show(collection) {
    this.select.value = collection ?? "";
  }
}

function option({ name, problem }) {
  const choice = new Option(problem === null ? name : messages.isAway(name), name);
  choice.disabled = problem !== null;
  choice.title = problem ?? "";
  return choice;
}
