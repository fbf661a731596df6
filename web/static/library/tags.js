// The page of tags, composed: tags with examples, the lists that they come from, and what was taught.

import { format } from "../query/state.js";
import { RequestFailed } from "../shared/api.js";
import { say } from "../shared/say.js";
import { tagFilter } from "../shared/tag-filter.js";
import { Editor } from "./editor.js";
import { Frame, part } from "./frame.js";
import { JobLine } from "./job-line.js";
import * as requests from "./requests.js";
import { drawRows, showActions, watchActions, write } from "./rows.js";
import { TagTiles } from "./tag-tiles.js";

const MOST_TAGS = 10_000; // as many as the server tells at once
const EVERYDAY = "everyday"; // the list that ships
const CONCEPTS = "concepts"; // the list of what was taught

/** Where a search for a text of the box is shown. */
const searchFor = (text) => format({ text, collection: requests.collection });

class TagsPage {
  #round = 0; // of asking: only the newest may show what it found

  constructor() {
    this.frame = new Frame();
    this.editor = new Editor();
    this.tiles = new TagTiles(
      { list: part("tags"), template: part("tag-tile"), count: part("tag-count"), find: part("find"), more: part("more") },
      { addressOf: (tag) => searchFor(tagFilter(tag)), fetchExamples: examplesOf },
    );
    this.job = new JobLine(part("job"), "tag", {
      onEnd: () => this.#load(),
      onFailure: (error) => this.frame.failed(error, () => this.job.open()),
    });
  }

  start() {
    this.frame.start();
    this.job.open();
    const tagByEveryday = async ({ currentTarget }) => {
      await this.frame.attempt(() => this.#put(EVERYDAY, null), currentTarget);
    };
    part("everyday").addEventListener("click", tagByEveryday);
    part("begin").addEventListener("click", tagByEveryday);
    part("anew").addEventListener("click", ({ currentTarget }) => this.frame.attempt(() => this.#tag(), currentTarget));
    part("new-list").addEventListener("click", () => this.#editList(""));
    watchActions(part("lists"), (name, action) => (action === "edit" ? this.#editList(name) : this.#removeList(name)));
    watchActions(part("concepts"), (name, action, button) => {
      const actions = { teach: () => this.#teach(name, button), rename: () => this.#rename(name), forget: () => this.#forget(name) };
      actions[action]();
    });
    this.#load();
  }

  async #load() {
    const round = (this.#round += 1);
    try {
      const [{ lists, tags }, concepts] = await Promise.all([requests.tags(MOST_TAGS), requests.concepts()]);
      if (round !== this.#round) return;
      const own = lists.filter(({ name }) => name !== CONCEPTS);
      this.#showLists(own);
      this.#showConcepts(concepts);
      this.tiles.show(tags);
      part("nothing").hidden = tags.length > 0 || own.length > 0;
      part("anew").hidden = own.length === 0;
    } catch (error) {
      this.frame.failed(error, () => this.#load());
    }
  }

  #showLists(lists) {
    part("everyday").hidden = lists.some(({ name }) => name === EVERYDAY);
    drawRows(part("lists"), lists, {
      key: ({ name }) => name,
      template: part("list-row"),
      update: (row, { name, labels }) => {
        write(row.querySelector("h3"), name);
        write(row.querySelector(".numbers"), say("tags.labels", { count: labels }));
        link(row, "show", tagFilter(name), name);
        link(row, "hide", `-${tagFilter(name)}`, name);
        showActions(row, name === EVERYDAY ? ["remove"] : ["edit", "remove"], name);
      },
    });
  }

  #showConcepts(concepts) {
    drawRows(part("concepts"), concepts, {
      key: ({ name }) => name,
      template: part("concept-row"),
      update: (row, { name, query, right, wrong }) => {
        const marks = say("tags.concept.marks", { right, wrong });
        write(row.querySelector("h3"), name);
        write(row.querySelector(".numbers"), query ? `${say("tags.concept.query", { query })} · ${marks}` : marks);
        link(row, "show", tagFilter(name), name);
        showActions(row, ["teach", "rename", "forget"], name);
      },
    });
  }

  async #tag() {
    await requests.tag();
    await this.job.look();
  }

  async #put(name, text) {
    await requests.putLabelList(name, text);
    await this.#tag();
    this.#load();
  }

  async #editList(name) {
    const list = name ? await this.frame.attempt(() => requests.labelList(name)) : { text: "" };
    if (list === null) return;
    this.editor.open({
      title: name ? say("tags.editor.list", { name }) : say("tags.editor.new"),
      hint: say("tags.editor.hint"),
      action: say("tags.editor.save"),
      name: name || "",
      text: list.text,
      save: (called, text) => this.#put(called, text),
    });
  }

  #removeList(name) {
    this.#ask("remove", name, () => requests.removeLabelList(name));
  }

  #forget(name) {
    this.#ask("forget", name, () => requests.forgetConcept(name));
  }

  /** Whether that is really meant. @param {"remove" | "forget"} what */
  #ask(what, name, action) {
    this.editor.open({
      title: say(`tags.editor.${what}`, { name }),
      hint: say("tags.editor.lost"),
      action: say(`tags.editor.do.${what}`),
      save: () => this.#andLoad(action()),
    });
  }

  #rename(name) {
    this.editor.open({
      title: say("tags.editor.rename", { name }),
      hint: "",
      action: say("tags.editor.do.rename"),
      name,
      save: (other) => this.#andLoad(requests.renameConcept(name, other)),
    });
  }

  async #andLoad(request) {
    await request;
    this.#load();
  }

  /** The search that taught it, with its marks: to be marked further and saved again. */
  async #teach(name, button) {
    const found = await this.frame.attempt(() => requests.concept(name), button);
    if (found === null) return;
    const references = (ids) => ids.map((id) => (requests.collection === null ? id : `${id}@${requests.collection}`));
    const [right, wrong] = [found.right, found.wrong].map(references);
    location.assign(format({ text: found.query || tagFilter(name), right, wrong, collection: requests.collection }));
  }
}

function link(row, which, text, name) {
  const anchor = row.querySelector(`[data-link="${which}"]`);
  anchor.href = searchFor(text);
  anchor.setAttribute("aria-label", `${anchor.textContent}: ${name}`);
}

/** None where they cannot be had: the tile says what it is without them. */
async function examplesOf(tag, most) {
  try {
    return await requests.tagExamples(tag, most);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    return [];
  }
}

new TagsPage().start();
