// The tags of the picture in the large view: each leads to all that have it; some can be taken away or added by hand.

import { RequestFailed } from "../shared/api.js";
import { formatLikely } from "../shared/numbers.js";
import { say } from "../shared/say.js";
import { tagByHand, tagsOf } from "./requests.js";

const SUGGESTED = 500; // tags offered while one is typed

export class Tags {
  /**
   * @param {HTMLElement} section
   * @param {{onSearch: (tag: string) => void, onTags: (tags: object[]) => void, onProblem: (message: string) => void,
   *   suggestions: (most: number) => Promise<{name: string}[]>}} handlers
   */
  constructor(section, { onSearch, onTags, onProblem, suggestions }) {
    Object.assign(this, { section, onSearch, onTags, onProblem, suggestions });
    this.list = section.querySelector("#tags");
    this.form = section.querySelector("#tag-form");
    this.input = section.querySelector("#tag-input");
    this.options = section.querySelector("#tag-options");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.input.value.trim();
      if (name) this.#say({ add: [name] });
    });
    this.input.addEventListener("focus", () => this.#suggest(), { once: true });
  }

  #reference = null;
  #said = 0; // how often something was added or removed: what was asked for before is out of date

  /** Another picture, of which nothing is known yet. */
  begin(item) {
    this.#reference = item.id;
    this.#said += 1;
    this.#show([]);
    this.input.value = "";
  }

  async load(signal) {
    const said = this.#said;
    const tags = await tagsOf(this.#reference, signal);
    if (said === this.#said) this.#show(tags);
  }

  #show(tags) {
    this.list.replaceChildren(...tags.map((tag) => this.#chip(tag)));
    this.onTags(tags);
  }

  #chip({ name, list, score }) {
    const chip = document.createElement("li");
    chip.className = "tag";
    chip.classList.toggle("by-hand", list === null);
    const search = document.createElement("button");
    search.type = "button";
    search.className = "tag-name";
    search.textContent = name;
    search.title = list === null ? say("large.tag_by_hand") : say("large.tag_by_list", { list, percent: formatLikely(score) });
    search.addEventListener("click", () => this.onSearch(name));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "tag-remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", say("large.tag_remove", { name }));
    remove.addEventListener("click", () => this.#remove(name, chip));
    chip.append(search, remove);
    return chip;
  }

  async #remove(name, chip) {
    const next = chip.nextElementSibling ?? chip.previousElementSibling;
    await this.#say({ remove: [name] }, next?.querySelector("button").textContent);
  }

  /** @param {string} [then] the tag that the keyboard goes to; without one it goes to the input */
  async #say(said, then) {
    this.#said += 1;
    const mine = this.#said;
    try {
      const tags = await tagByHand(this.#reference, said);
      if (this.#said !== mine) return;
      this.#show(tags);
      if (said.add) this.input.value = "";
      const chip = [...this.list.children].find((one) => one.firstElementChild.textContent === then);
      (chip?.firstElementChild ?? this.input).focus({ preventScroll: true });
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this.onProblem(error.message);
    }
  }

  async #suggest() {
    try {
      const known = await this.suggestions(SUGGESTED);
      this.options.replaceChildren(...known.map(({ name }) => new Option("", name)));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error; // one can do without
    }
  }
}
