// The large view on the search page: which picture is open, and what is done there with the search.

import * as api from "../shared/api.js";
import { say } from "../shared/say.js";
import { format, hasQuery } from "../query/state.js";
import { LargeView } from "./large-view.js";
import { marked, marksOf } from "./marks.js";
import { tagFilter } from "../shared/tag-filter.js";
import { partsOfScore } from "./terms.js";

export class Opened {
  /**
   * @param {object} page
   * @param {object} page.state as in state.js, and `go`, `start`, `grid`, `places` and `results`
   * @param {HTMLDialogElement} dialog
   */
  constructor(page, dialog) {
    this.page = page;
    this.view = new LargeView(dialog, {
      onStep: (step) => this.#step(step),
      onSimilar: (item) => this.#similar(item, null),
      onPart: (item, region) => this.#similar(item, region),
      onMark: (as) => this.#mark(as),
      onForget: () => this.#rank({ ...page.state, right: [], wrong: [] }, say("large.marks_forgotten")),
      onTag: (tag) => page.go({ ...page.start, text: tagFilter(tag) }),
      onOpen: (image) => page.go({ ...page.state, open: image.id }, { replace: true }),
      onClosed: (item) => this.#closed(item),
      suggestions: (most) => api.tags(page.state.collection, most),
    });
  }

  #place = -1; // of the picture among the results when it was last among them

  close() {
    this.view.close();
  }

  /** Show the picture that the state names, if it still does when the picture is known. */
  async show(state) {
    const { results } = this.page;
    const index = results?.indexOf(state.open) ?? -1;
    const item = index >= 0 ? results.item(index) : await this.#item(state.open);
    if (this.page.state !== state) return;
    if (index >= 0) this.#place = index;
    this.#draw(state, item, index);
    if (index >= 0) await this.#fetchNeighbours(state, item, index);
  }

  #draw(state, item, index) {
    const { meaning = null, chips = [], joined = null } = this.page.results ?? {};
    const parts = hasQuery(state) ? partsOfScore(state, { meaning, chips }) : [];
    const markable = joined === null && parts.some(({ ask }) => ask); // marks are of one collection
    this.view.show(item, this.#placeOf(index), { state, parts, query: meaning ?? "", markable });
  }

  /** At the edge of what was fetched. */
  async #fetchNeighbours(state, item, index) {
    const { results } = this.page;
    const missing = [-1, 1].filter((step) => !results.item(index + step));
    if (!missing.length) return;
    await Promise.all(missing.map((step) => results.nearest(index + step, step)));
    if (this.page.state === state) this.#draw(state, item, index);
  }

  #item(reference) {
    const { item } = this.view;
    return item?.id === reference ? item : api.image(reference);
  }

  /** What was marked wrong is no result any more: its neighbours are those it had. */
  #placeOf(index) {
    const { results } = this.page;
    const gone = index < 0 && this.#place >= 0;
    const at = gone ? this.#place : index;
    const near = (position) => (at < 0 ? null : (results?.item(position) ?? null));
    return {
      index,
      count: results?.total ?? 0,
      complete: results?.complete ?? true,
      previous: near(at - 1),
      next: near(gone ? at : at + 1),
    };
  }

  async #step(step) {
    const { results } = this.page;
    const { previous, next } = this.#placeOf(results.indexOf(this.page.state.open));
    const known = { "-1": previous, 1: next }[step];
    const item = known ?? (step < 0 ? await results.nearest(0, 1) : await results.nearest(results.total - 1, -1));
    if (!item || item.id === this.page.state.open) return;
    await this.page.go({ ...this.page.state, open: item.id }, { replace: true });
  }

  #similar(item, region) {
    const terms = [{ kind: "like", ref: item.id, weight: 1, region }];
    return this.page.go({ ...this.page.start, terms });
  }

  #mark(as) {
    const { state } = this.page;
    const next = marked(state, state.open, as);
    const count = marksOf(next);
    const said = count ? say("large.ranked_by", { count }) : say("large.marks_forgotten");
    return this.#rank(next, said);
  }

  /** The results behind the picture follow at once. */
  async #rank(next, said) {
    const before = this.page.state;
    const { right, wrong } = before;
    const back = () => this.page.go({ ...this.page.state, right, wrong }, { replace: true });
    await this.page.go(next, { replace: true });
    this.view.notice.show(said, { label: say("large.undo"), act: back });
  }

  /** By its button, by Esc, or because the address no longer names a picture. */
  #closed(item) {
    const { page } = this;
    if (page.state.open !== null) {
      page.state = { ...page.state, open: null };
      if (page.places.opened) history.back();
      else page.places.rename(format(page.state));
    }
    const index = page.results?.indexOf(item.id) ?? -1;
    if (index >= 0) page.grid.focus(index);
    this.#place = -1;
  }
}
