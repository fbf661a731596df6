// The page, composed: the address says what to show, the modules show it, what the visitor does changes the address.

import { showAbout } from "./about.js";
import { watchKeys } from "./keyboard.js";
import { Opened } from "./large/opened.js";
import { Query } from "./query/query.js";
import { START, format, hasQuery, parse, queryKey } from "./query/state.js";
import { countLine, leftOut } from "./results/count-line.js";
import { KeptResults } from "./results/kept-results.js";
import { Results } from "./results/results.js";
import { drawSkeleton } from "./results/skeleton.js";
import { View } from "./results/view.js";
import * as api from "./shared/api.js";
import { CollectionChoice } from "./shared/collection-choice.js";
import { Places } from "./shared/places.js";
import { Status } from "./shared/status.js";
import { watchTheme } from "./shared/theme.js";

const part = (id) => document.querySelector(`#${id}`);

class Page {
  #results = null; // what the grid shows
  #kept = new KeptResults();
  #abort = null; // of the query under way
  #stats = null;

  constructor() {
    /** As in state.js: read it, and change it by `go`. */
    this.state = parse(location);
    this.status = new Status({
      title: part("title"),
      count: part("count"),
      problem: part("problem"),
      progress: part("progress"),
      main: part("main"),
    });
    this.query = new Query(this);
    this.view = new View(this);
    this.grid = this.view.grid;
    this.large = new Opened(this, part("large"));
    this.choice = new CollectionChoice(part("collection"), (collection) => {
      const terms = this.state.terms.filter(({ kind }) => kind !== "like"); // those are of another collection
      this.go({ ...this.state, collection, terms, right: [], wrong: [], open: null });
    });
    this.places = new Places(() => {
      this.#keepPlace();
      this.#show(parse(location), { kept: true });
    });
  }

  open() {
    watchTheme(part("theme"));
    watchKeys({ query: this.query, grid: this.grid, help: part("keys-help"), button: part("keys") });
    part("home").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#results = null; // ask again, even when this is the start page
      this.go(this.start);
    });
    document.addEventListener("scrollend", () => this.places.remember(this.grid.place));
    addEventListener("focus", () => this.#lookAgain());
    this.#loadStats();
    this.#loadChoice();
    this.#show(this.state, { place: this.places.remembered });
  }

  /** Without a query, of the collection that is chosen. */
  get start() {
    return { ...START, collection: this.state.collection };
  }

  /** What the grid shows, or null. */
  get results() {
    return this.#results;
  }

  /** An image that was among results lately, or null. */
  known(reference) {
    const index = this.#results?.indexOf(reference) ?? -1;
    return index >= 0 ? this.#results.item(index) : this.#kept.item(reference);
  }

  /** Show another state and make it a history entry, or the newest entry's new content. */
  go(state, { replace = false } = {}) {
    this.#keepPlace();
    this.places.go(format(state), { replace, opened: state.open !== null });
    return this.#show(state);
  }

  /** Search by one more picture or text: `{kind, ref, weight, region}` as in state.js; the last two may be left out. */
  addTerm(term) {
    return this.query.add([term]);
  }

  /** Search with more in the box, such as a filter. */
  addToBox(text) {
    return this.query.addToBox(text);
  }

  /**
   * @param {{kept?: boolean, place?: object | null}} how `kept`: pictures fetched before will do; `place`: where the grid
   *   was before a reload
   */
  async #show(state, { kept = false, place = null } = {}) {
    const moved = state.collection !== this.state.collection;
    this.state = state;
    if (moved) this.#loadStats();
    this.choice.show(state.collection);
    this.query.show(state);
    if (state.open === null) this.large.close();
    this.#abort?.abort();
    if (queryKey(state) !== this.#shownKey) await this.#load(state, kept, place);
    else this.#settle();
    if (this.state === state && state.open !== null) await this.#showLarge(state);
  }

  get #shownKey() {
    return this.#results && queryKey(this.#results.query);
  }

  async #load(state, useKept, place) {
    const abort = new AbortController();
    this.#abort = abort;
    this.status.settled();
    const kept = useKept ? this.#kept.of(state) : null;
    const results = kept ?? new Results(state);
    try {
      if (!kept) {
        this.status.busy(() => this.#showSkeleton());
        await results.load(0, abort.signal);
        if (place) await results.loadAt(place.position, abort.signal);
      }
      if (abort.signal.aborted) return;
      this.#settle();
      this.#arrived(results, kept ? kept.place : place);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#settle();
      this.failed(error, () => this.#show(state));
    }
  }

  #settle() {
    this.status.idle();
    part("skeleton").hidden = true;
  }

  #arrived(results, place) {
    this.#results = results;
    this.#kept.keep(results);
    const heldFocus = this.grid.hasFocus;
    this.query.answered(results);
    this.#showCount();
    if (results.unanswered.length) this.status.problem(leftOut(results.unanswered));
    this.view.show(results, place);
    if (heldFocus) this.grid.focus(0);
  }

  /** A query that fails leaves the page empty: what the words do not describe is not shown under them. */
  failed(error, retry = null) {
    if (!(error instanceof api.RequestFailed)) throw error;
    if (error.status === 422 && this.query.isTyped) {
      this.status.count(error.message); // Enter says it aloud; until then the pictures of the last words stay
      return;
    }
    if (queryKey(this.state) !== this.#shownKey) {
      this.#results = null;
      this.view.show(null);
      this.query.failed(this.state);
      this.status.count("");
    }
    this.status.problem(error.message, error.mayPass ? retry : null);
  }

  #showSkeleton() {
    if (this.#results?.total) return; // the pictures of the last query stay until the new ones have come
    part("skeleton").hidden = false;
    drawSkeleton(part("skeleton"));
  }

  #showCount() {
    const { images, total, complete } = this.#results;
    this.status.count(countLine(this.#results, this.#stats?.images ?? null));
    const none = complete && !total;
    const nothingIndexed = none && (images === 0 || !hasQuery(this.state));
    part("nothing-indexed").hidden = !nothingIndexed;
    part("nothing-found").hidden = !none || nothingIndexed;
  }

  async #showLarge(state) {
    try {
      await this.large.show(state);
    } catch (error) {
      this.failed(error);
      this.go({ ...state, open: null }, { replace: true });
    }
  }

  #keepPlace() {
    if (this.#results) this.#results.place = this.grid.place;
  }

  async #loadStats() {
    try {
      this.#stats = await api.stats(this.state.collection);
    } catch (error) {
      if (!(error instanceof api.RequestFailed)) throw error;
      return; // the search itself says what is wrong
    }
    showAbout(this.#stats);
    if (this.#results) this.#showCount();
  }

  async #loadChoice() {
    try {
      await this.choice.load(this.state.collection);
    } catch (error) {
      if (!(error instanceof api.RequestFailed)) throw error; // the search itself says what is wrong
    }
  }

  /** Back from the terminal, perhaps: were pictures indexed in the meantime? */
  #lookAgain() {
    if (part("nothing-indexed").hidden) return;
    this.#kept.forget();
    this.#results = null;
    this.#loadStats();
    this.#show(this.state);
  }
}

new Page().open();
