// What can be done with the pictures that were chosen: downloaded, listed, marked.

import { partsOf } from "../shared/reference.js";
import { say } from "../shared/say.js";

const MOST = 1000; // pictures that the server puts into one file

export class SelectionBar {
  /**
   * @param {HTMLElement} bar
   * @param {{onClear: () => void, onMark: (kind: "right" | "wrong", ids: (number | string)[]) => void,
   *   onProblem: (message: string) => void}} handlers
   */
  constructor(bar, { onClear, onMark, onProblem }) {
    this.bar = bar;
    this.onProblem = onProblem;
    const click = (action, run) => bar.querySelector(`[data-action="${action}"]`).addEventListener("click", run);
    click("clear", onClear);
    click("download", () => this.#download());
    click("copy", () => this.#copy());
    click("save", () => this.#save());
    for (const kind of ["right", "wrong"]) click(kind, () => onMark(kind, this.#items.map(({ id }) => id)));
    bar.querySelector('[data-action="copy"]').hidden = !navigator.clipboard; // on https and localhost only
  }

  #items = [];

  /** @param {object[]} items @param {boolean} markable whether there is a query that marks could teach */
  show(items, markable) {
    this.#items = items;
    this.bar.hidden = !items.length;
    this.bar.querySelector(".chosen").textContent = say("results.chosen", { count: items.length });
    for (const kind of ["right", "wrong"]) this.bar.querySelector(`[data-action="${kind}"]`).hidden = !markable;
  }

  get #paths() {
    return this.#items.map(({ path }) => path).join("\n");
  }

  async #copy() {
    await navigator.clipboard.writeText(this.#paths);
    this.bar.querySelector(".chosen").textContent = say("results.copied", { count: this.#items.length });
  }

  #save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${this.#paths}\n`], { type: "text/plain" }));
    link.download = "sightline-paths.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** A plain form: the browser saves what comes as it comes, and nothing of it is held here. */
  #download() {
    const collections = new Set(this.#items.map(({ id }) => partsOf(id).collection));
    if (this.#items.length > MOST) return this.onProblem(say("results.too_many", { count: MOST }));
    if (collections.size > 1) return this.onProblem(say("results.one_collection"));
    const form = this.bar.querySelector("form");
    const [collection] = collections;
    const fields = [...this.#items.map(({ id }) => ["ids", partsOf(id).id]), ...(collection === null ? [] : [["collection", collection]])];
    form.replaceChildren(...fields.map(hidden));
    form.submit();
  }
}

function hidden([name, value]) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  return field;
}
