// Everything that shows results and changes how they are shown, composed: the grid, what is chosen in it, the filters beside
// it, their order, the timeline.

import * as api from "../shared/api.js";
import { say } from "../shared/say.js";
import { format, hasQuery, queryKey } from "../query/state.js";
import { Facets } from "./facets.js";
import { Grid } from "./grid.js";
import { Order } from "./order.js";
import { Selection } from "./selection.js";
import { SelectionBar } from "./selection-bar.js";
import { Stack } from "./stack.js";
import { Timeline } from "./timeline.js";

const part = (id) => document.querySelector(`#${id}`);

export class View {
  /**
   * @param {{state: object, go: Function, addToBox: Function, failed: (error: Error, retry?: () => void) => void,
   *   status: object}} page
   */
  constructor(page) {
    this.page = page;
    this.grid = new Grid(part("results"), {
      address: (item) => format({ ...page.state, open: item.id }),
      onOpen: (item) => page.go({ ...page.state, open: item.id }),
      load: (number) => this.#load(number),
      newLine,
      look: (item) => ({ selected: this.selection.has(item.id), mark: this.#markOf(item) }),
      onMoved: () => this.timeline.move(this.grid.position),
    });
    this.timeline = new Timeline(part("timeline"), {
      onJump: (position) => this.grid.goTo(position),
      onNarrow: (text) => page.addToBox(text),
    });
    this.selection = new Selection(this.grid, () => this.#showSelection());
    this.bar = new SelectionBar(part("selection"), {
      onClear: () => this.selection.clear(),
      onMark: (kind, ids) => this.#mark(kind, ids),
      onProblem: (message) => page.status.problem(message),
    });
    this.order = new Order({ select: part("order"), collapse: part("collapse") }, (change) => {
      page.go({ ...page.state, ...change, open: null });
    });
    this.facets = new Facets({ panel: part("facets"), button: part("filters") }, {
      ask: (signal) => this.#facets(signal),
      text: () => page.state.text,
      onText: (text) => page.go({ ...page.state, text, open: null }),
      onProblem: (error) => page.failed(error),
    });
    this.stack = new Stack(part("stack"), {
      onOpen: (item) => page.go({ ...page.state, open: item.id }),
      onProblem: (error) => page.failed(error),
    });
    part("results").addEventListener("click", ({ target }) => {
      if (target.closest(".stack")) this.#showStack(this.grid.positionOf(target));
    });
    part("results").addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "d" || event.ctrlKey || event.metaKey || event.altKey) return;
      this.#showStack(this.grid.active);
    });
  }

  #abort = null; // of the timeline on its way

  /** The files of a picture that stands for several. */
  #showStack(position) {
    const item = this.results?.item(position);
    if (item?.duplicates) this.stack.show(item);
  }

  get results() {
    return this.grid.results;
  }

  /** @param {object | null} results @param {object | null} place as the grid's `place` told it; null: the top */
  show(results, place = null) {
    const { state } = this.page;
    if (queryKey(this.results?.query ?? {}) !== queryKey(results?.query ?? {})) this.selection.clear();
    this.order.show(state, Boolean(results?.joined));
    this.facets.show(queryKey(state));
    this.grid.show(results, place);
    this.#showTimeline(results);
  }

  /** Marks have changed, or what is said of the pictures. */
  update() {
    this.grid.update();
  }

  async #load(number) {
    const { results } = this;
    try {
      await results.load(number);
      return true;
    } catch (error) {
      if (results === this.results) this.page.failed(error, () => this.update());
      return false;
    }
  }

  #markOf({ id }) {
    if (this.page.state.right.includes(id)) return "right";
    return this.page.state.wrong.includes(id) ? "wrong" : null;
  }

  /** As right or wrong; a second time takes the mark away. */
  #mark(kind, ids) {
    const { state } = this.page;
    const other = kind === "right" ? "wrong" : "right";
    const undo = ids.every((id) => state[kind].includes(id));
    const marked = undo ? state[kind].filter((id) => !ids.includes(id)) : [...new Set([...state[kind], ...ids])];
    this.selection.clear();
    this.page.go({ ...state, [kind]: marked, [other]: state[other].filter((id) => !ids.includes(id)), open: null });
  }

  #showSelection() {
    this.bar.show(this.selection.items, hasQuery(this.page.state) && !this.results?.joined);
  }

  async #facets(signal) {
    if (this.results?.joined) return null;
    const facets = await api.facets(this.page.state, signal);
    this.page.query.recall.learnCameras(facets.camera.map(({ value }) => value));
    return facets;
  }

  async #showTimeline(results) {
    const { state } = this.page;
    this.#abort?.abort();
    this.timeline.hide();
    if (!results?.total || !["newest", "oldest"].includes(state.sort)) return;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const months = await api.timeline(state, abort.signal);
      if (abort.signal.aborted) return;
      this.timeline.show(months, state.sort);
      this.timeline.move(this.grid.position);
    } catch (error) {
      if (!abort.signal.aborted) this.page.failed(error);
    }
  }
}

function newLine() {
  const line = document.createElement("li");
  const said = document.createElement("span");
  line.className = "line";
  said.textContent = say("results.less_likely");
  line.append(said);
  return line;
}
