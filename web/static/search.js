// The page, composed: the address says what to show, the modules show it, what the visitor does changes the address.

import { showAbout } from "./about.js";
import * as api from "./shared/api.js";
import { CollectionChoice } from "./shared/collection-choice.js";
import { Grid, drawSkeleton } from "./results/grid.js";
import { watchKeys } from "./keyboard.js";
import { LargeView } from "./large/large-view.js";
import { messages } from "./shared/messages.js";
import { acceptPictures } from "./query/query-picture.js";
import { PAGE, Results } from "./results/results.js";
import { SearchBox } from "./query/search-box.js";
import { format, hasQuery, parse, queryKey } from "./query/state.js";
import { Status } from "./shared/status.js";
import { watchTheme } from "./shared/theme.js";

const KEPT = 20; // result lists kept for going back without waiting
const RESTORED = 300; // most pictures fetched at once to come back to the same place after a reload
const START = { text: "", picture: null, like: null, collection: null, open: null };
const part = (id) => document.querySelector(`#${id}`);

class Page {
  #state = parse(location);
  #results = null; // what the grid shows
  #kept = new Map(); // query key -> Results
  #abort = null; // of the query under way
  #typing = false; // the newest history entry came from typing, so that more typing replaces it
  #stats = null;

  constructor() {
    this.status = new Status({
      title: part("title"),
      count: part("count"),
      problem: part("problem"),
      progress: part("progress"),
      main: part("main"),
    });
    this.box = new SearchBox(part("search"), {
      onWords: (text, settled) => this.#words(text, settled),
      onRemovePicture: () => this.go({ ...this.#state, file: null, picture: null, like: null }),
      onClear: () => this.go(this.#start),
    });
    this.grid = new Grid(part("results"), {
      address: (item) => format({ ...this.#state, open: item.id }),
      onOpen: (item) => this.go({ ...this.#state, open: item.id }),
      onNearEnd: () => this.#more(),
    });
    this.large = new LargeView(part("large"), {
      onStep: (step) => this.#step(step),
      onSimilar: (item) => this.go({ ...this.#start, like: item.id }),
      onClosed: (item) => this.#largeClosed(item),
    });
    this.choice = new CollectionChoice(part("collection"), (collection) => {
      this.go({ ...this.#state, collection, like: null, open: null });
    });
  }

  start() {
    watchTheme(part("theme"));
    watchKeys({ box: this.box, grid: this.grid, help: part("keys-help"), button: part("keys") });
    acceptPictures(
      { overlay: part("drop"), button: part("pick"), input: part("file") },
      {
        onPicture: (file) => this.#picture(file),
        onProblem: (message) => this.status.problem(message),
      },
    );
    part("home").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#results = null; // ask again, even when this is the start page
      this.go(this.#start);
    });
    history.scrollRestoration = "manual"; // the pictures of another entry are not there yet when the browser scrolls
    addEventListener("popstate", () => {
      this.#typing = false;
      this.#keepScroll();
      this.#show(parse(location), { kept: true });
    });
    document.addEventListener("scrollend", () => this.#remember()); // when the page is hidden it is too late
    addEventListener("focus", () => this.#lookAgain());
    this.#loadStats();
    this.#loadChoice();
    this.#show(this.#state, { place: history.state ?? {} });
  }

  /** Without a query, of the collection that is chosen. */
  get #start() {
    return { ...START, collection: this.#state.collection };
  }

  /** Show another state and make it a history entry, or the newest entry's new content. */
  go(state, { replace = false } = {}) {
    this.#typing = false;
    const address = format(state);
    const moved = address !== location.pathname + location.search + location.hash;
    // A picture on its way to the server has no address yet: `#arrived` gives it one.
    if (moved && !state.file) {
      this.#keepScroll();
      const entry = { opened: state.open !== null };
      if (replace) history.replaceState({ ...entry, opened: entry.opened && history.state?.opened }, "", address);
      else history.pushState(entry, "", address);
    }
    return this.#show(state);
  }

  #words(text, settled) {
    const replace = this.#typing;
    if (text !== this.#state.text) this.go({ ...this.#state, text }, { replace });
    else if (settled) this.#show(this.#state);
    this.#typing = !settled;
  }

  #picture(file) {
    if (this.#state.open !== null) this.go({ ...this.#state, open: null }, { replace: true });
    this.box.showFile(file);
    this.#show({ ...this.#state, file, picture: null, like: null });
  }

  /**
   * @param {object} state as in state.js, perhaps with a `file` to search by
   * @param {{kept?: boolean, place?: {scroll?: number, loaded?: number}}} how `kept`: pictures fetched before will do;
   *   `place`: where the page was before a reload
   */
  async #show(state, { kept = false, place = {} } = {}) {
    const moved = state.collection !== this.#state.collection;
    this.#state = state;
    if (moved) this.#loadStats();
    this.choice.show(state.collection);
    if (!state.file) this.#showQuery();
    if (state.open === null) this.large.close();
    this.#abort?.abort();
    if (state.file || queryKey(state) !== this.#shownKey) await this.#load(state, kept, place);
    else this.#settle();
    if (this.#state === state && state.open !== null) await this.#showLarge(state);
  }

  get #shownKey() {
    return this.#results && queryKey(this.#results.query);
  }

  #showQuery() {
    this.box.showWords(this.#state.text);
    this.#showPicture();
  }

  /** The chip and the title. Words are left alone: more may have been typed since. */
  #showPicture() {
    const { text, picture, like } = this.#state;
    const name = this.#pictureName();
    let shown = null;
    if (picture) shown = { url: api.pictureUrl(picture), name };
    else if (like !== null) shown = { url: api.thumbnailOf(like), name };
    this.box.showPicture(shown);
    this.status.title(this.#title(text, shown && name));
  }

  #title(text, name) {
    if (text && name) return messages.withTextAndPicture(text, name);
    if (text) return messages.withText(text);
    return name ? messages.similarTo(name) : messages.recent;
  }

  #pictureName() {
    const { picture, like } = this.#state;
    if (picture) return messages.yourPicture;
    return this.#known(like)?.name ?? messages.aPicture;
  }

  #known(id) {
    for (const results of [this.#results, ...this.#kept.values()]) {
      const index = results?.indexOf(id) ?? -1;
      if (index >= 0) return results.items[index];
    }
    return null;
  }

  async #load(state, useKept, { scroll = 0, loaded = 0 }) {
    const abort = new AbortController();
    this.#abort = abort;
    this.status.settled();
    const kept = useKept && this.#kept.get(queryKey(state));
    const results = kept || new Results(state);
    try {
      if (!kept) {
        this.status.busy(() => this.#showSkeleton());
        await results.more(Math.min(Math.max(loaded, PAGE), RESTORED), abort.signal);
      }
      if (abort.signal.aborted) return;
      this.#settle();
      this.#arrived(results, kept ? kept.scroll : scroll);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#settle();
      this.#failed(error, () => this.#show(state));
    }
  }

  #settle() {
    this.status.idle();
    part("skeleton").hidden = true;
  }

  #arrived(results, scroll) {
    const { file } = this.#state;
    this.#results = results;
    if (file) {
      this.#state = { ...results.query, open: null };
      this.#typing = false;
      history.pushState({ opened: false }, "", format(this.#state));
    }
    this.#keep(results);
    if (file || this.#state.like !== null) this.#showPicture(); // its name may be known by now
    const heldFocus = this.grid.hasFocus;
    this.#draw();
    this.#showCount();
    if (results.unanswered.length) this.status.problem(messages.leftOut(results.unanswered));
    scrollTo(0, scroll);
    if (heldFocus) this.grid.focus(0);
  }

  /** A picture that is refused leaves the page as it was; any other query that fails leaves it empty. */
  #failed(error, retry) {
    if (!(error instanceof api.RequestFailed)) throw error;
    if (this.#state.file) {
      this.#state = { ...parse(location), open: null };
      this.#showQuery();
    } else if (queryKey(this.#state) !== this.#shownKey) {
      this.#results = null;
      this.grid.show([], true);
      this.status.count("");
    }
    this.status.problem(error.message, error.mayPass ? retry : null);
  }

  #draw() {
    this.grid.show(this.#results.items, this.#results.complete, this.#results.lastRelevant);
  }

  #showSkeleton() {
    if (this.#results?.items.length) return; // the pictures of the last query stay until the new ones have come
    part("skeleton").hidden = false;
    drawSkeleton(part("skeleton"));
  }

  #showCount() {
    const { images, seconds, joined, items, complete, matches, noMatch } = this.#results;
    const turns = joined === "rank" ? `, ${messages.byTurns}` : "";
    const searched = images !== null && messages.searched(images, seconds) + turns;
    if (searched) this.status.count(messages.answered(matches, noMatch, searched));
    else this.status.count(this.#stats?.images ? messages.pictures(this.#stats.images) : "");
    const none = complete && !items.length;
    const nothingIndexed = none && (images === 0 || !hasQuery(this.#state));
    part("nothing-indexed").hidden = !nothingIndexed;
    part("nothing-found").hidden = !none || nothingIndexed;
  }

  async #more() {
    const results = this.#results;
    try {
      await results.more();
      if (results === this.#results) this.#draw();
    } catch (error) {
      if (results === this.#results) this.#failed(error, () => this.#more());
    }
  }

  async #showLarge(state) {
    if (state.open === null) {
      this.large.close();
      return;
    }
    try {
      const index = this.#results?.indexOf(state.open) ?? -1;
      const item = index >= 0 ? this.#results.items[index] : await api.image(state.open);
      if (this.#state !== state) return;
      this.large.show(item, { index, last: index === (this.#results?.items.length ?? 0) - 1 }, state);
    } catch (error) {
      this.#failed(error, null);
      this.go({ ...state, open: null }, { replace: true });
    }
  }

  async #step(step) {
    const index = this.#results.indexOf(this.#state.open) + step;
    const item = this.#results.items[index];
    if (!item) return;
    if (this.#results.items.length - index < PAGE / 4 && !this.#results.complete) this.#more();
    await this.go({ ...this.#state, open: item.id }, { replace: true });
  }

  /** Closed by its button, by Esc, or because the address no longer names a picture. */
  #largeClosed(item) {
    if (this.#state.open !== null) {
      this.#state = { ...this.#state, open: null };
      if (history.state?.opened) history.back();
      else history.replaceState(history.state, "", format(this.#state));
    }
    const index = this.#results?.indexOf(item.id) ?? -1;
    if (index >= 0) this.grid.focus(index);
  }

  #keep(results) {
    const key = queryKey(results.query);
    this.#kept.delete(key);
    this.#kept.set(key, results);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }

  #keepScroll() {
    if (this.#results) this.#results.scroll = scrollY;
  }

  /** For a reload: where the page was, and how many pictures it takes to be there again. */
  #remember() {
    history.replaceState({ ...history.state, scroll: scrollY, loaded: this.#results?.items.length ?? 0 }, "");
  }

  async #loadStats() {
    try {
      this.#stats = await api.stats(this.#state.collection);
    } catch (error) {
      if (!(error instanceof api.RequestFailed)) throw error;
      return; // the search itself says what is wrong
    }
    showAbout(this.#stats);
    if (this.#results) this.#showCount();
  }

  async #loadChoice() {
    try {
      await this.choice.load(this.#state.collection);
    } catch (error) {
      if (!(error instanceof api.RequestFailed)) throw error; // the search itself says what is wrong
    }
  }

  /** Back from the terminal, perhaps: were pictures indexed in the meantime? */
  #lookAgain() {
    if (part("nothing-indexed").hidden || this.#state.file) return;
    this.#kept.clear();
    this.#results = null;
    this.#loadStats();
    this.#show(this.#state);
  }
}

new Page().start();
