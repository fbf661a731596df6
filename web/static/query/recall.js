// What helps to ask: searches of before, filters that complete what is typed, and the guide to all that can be typed.

import * as api from "../shared/api.js";
import { say } from "../shared/say.js";
import { watchGuide } from "./guide.js";
import { Remembered } from "./remembered.js";
import { Saving } from "./saving.js";
import { format, hasQuery, parse } from "./state.js";
import { SuggestionList } from "./suggestion-list.js";
import { suggest } from "./suggestions.js";

const TAGS = 1000; // the most that the server tells
const LOOKED_AT = 4000; // ms for which an answer has to stand before a search that was only typed is remembered
const part = (id) => document.querySelector(`#${id}`);

export class Recall {
  /** @param {object} page of search.js @param {SearchBox} box @param {(text: string) => void} onText what the box is to hold */
  constructor(page, box, onText) {
    this.page = page;
    this.box = box;
    this.onText = onText;
    this.remembered = new Remembered();
    this.saving = new Saving({ star: part("save"), form: part("save-form"), popover: part("save-panel") }, this.remembered);
    this.list = new SuggestionList(box.words, part("suggestions"), {
      onOptions: () => this.#groups(),
      onChoose: (option) => this.#choose(option),
      onForget: ({ list, address }) => this.remembered.forget(list, address),
    });
    box.words.addEventListener("input", ({ isComposing }) => !isComposing && this.list.open());
    watchGuide(part("guide"), (example) => page.addToBox(example));
    for (const opener of document.querySelectorAll("[data-opens=guide]")) {
      opener.addEventListener("click", () => part("guide").showModal());
    }
  }

  #learned = false;
  #tags = [];
  #folders = [];
  #cameras = [];
  #timer = 0;

  /** @param {object} state that was answered @param {string | null} name of the search @param {boolean} settled */
  answered(state, name, { settled }) {
    const address = format({ ...state, open: null });
    const named = state.terms.length ? name : state.text;
    this.saving.show(address, hasQuery(state) ? named : null);
    clearTimeout(this.#timer);
    if (!hasQuery(state)) return;
    if (settled) this.remembered.note(address, named);
    else this.#timer = setTimeout(() => this.remembered.note(address, named), LOOKED_AT);
  }

  open() {
    this.list.open();
  }

  /** @param {string[]} cameras to be offered besides those that are known: the filters have counted them */
  learnCameras(cameras) {
    this.#cameras = [...new Set([...this.#cameras, ...cameras])];
  }

  /** Once, when the box is first used: it can do without. */
  async #learn() {
    if (this.#learned) return;
    this.#learned = true;
    const { collection } = this.page.state;
    const [tags, stats] = await Promise.allSettled([api.tags(collection, TAGS), api.stats(collection)]);
    this.#tags = tags.value?.map(({ name }) => name) ?? [];
    this.#folders = stats.value?.roots.map(({ path }) => path) ?? [];
    this.list.refresh();
  }

  #groups() {
    this.#learn();
    const { saved, recent } = this.remembered;
    const known = { saved, recent, tags: this.#tags, cameras: this.#cameras, folders: this.#folders };
    const text = this.box.words.value;
    const groups = suggest(text, known);
    if (text) return groups;
    const more = [{ icon: "help", text: say("query.guide"), does: "guide" }];
    if (recent.length) more.push({ icon: "close", text: say("query.forget_recent"), does: "forget" });
    return [...groups, { heading: "", options: more }];
  }

  #choose({ does, address, box }) {
    if (does === "guide") part("guide").showModal();
    else if (does === "forget") this.remembered.forgetRecent();
    else if (address) this.page.go({ ...parse(new URL(address, location)), open: null });
    else this.onText(box);
  }
}
