// The query as the visitor sees and changes it: the box, the terms beside it, and the title.

import * as api from "../shared/api.js";
import { say } from "../shared/say.js";
import { BoxMarks } from "./box-marks.js";
import { Chips } from "./chips.js";
import { CropDialog } from "./crop-dialog.js";
import { acceptPictures } from "./incoming.js";
import { Recall } from "./recall.js";
import { SearchBox } from "./search-box.js";
import { termKey, withRegion, withTerm } from "./state.js";
import { Terms } from "./terms.js";
import { titleOf } from "./title.js";

const part = (id) => document.querySelector(`#${id}`);

export class Query {
  /** @param {{state: object, go: Function, start: object, status: Status, known: Function}} page */
  constructor(page) {
    this.page = page;
    this.box = new SearchBox(part("search"), {
      onWords: (text, settled) => this.#adjust("words", { text }, settled),
      onRemoveLast: () => this.#remove(this.#present.terms.at(-1)),
      onClear: () => page.go(page.start),
    });
    this.terms = new Terms(part("terms"), part("term-card"), part("refine"), {
      onWeight: (term, weight, settled) =>
        this.#adjust(termKey(term), { terms: withTerm(this.#present.terms, { ...term, weight }) }, settled),
      onRemove: (term) => this.#remove(term),
      onCrop: (term) => this.#crop(term),
      onText: (ref, weight) => this.add([{ kind: "text", ref, weight }]),
    });
    this.chips = new Chips(
      part("chips"),
      (text) => {
        this.#change({ text });
        this.box.words.focus();
      },
      () => this.box.text,
    );
    this.marks = new BoxMarks(this.box.words, part("box-marks"));
    this.recall = new Recall(page, this.box, (text) => this.box.write(text));
    this.cropDialog = new CropDialog(part("crop"));
    acceptPictures(
      { overlay: part("drop"), pickers: [[part("pick"), part("file")], [part("photograph"), part("camera")]] },
      {
        onPictures: (files) => this.#send(files),
        onProblem: (message) => page.status.problem(message),
      },
    );
  }

  #unsettled = null; // what is being typed or slid: the newest history entry came from it, so that more replaces it
  #answered = null; // what the title on the page says: a state, and what of its words is to be seen
  #names = new Map(); // of indexed images, by reference

  /** The page's state, with the words as they stand in the box now. */
  get #present() {
    return { ...this.page.state, text: this.box.text };
  }

  /** Whether the query on the page may be half typed: what is wrong with it is no news then. */
  get isTyped() {
    return this.#unsettled === "words";
  }

  show(state) {
    this.#unsettled = null;
    this.box.show(state.text, state.terms.length > 0);
    this.#showTerms(state);
    this.#learnNames(state);
  }

  /** The answer is on the page. */
  answered({ query, meaning, chips }) {
    this.chips.show(chips, query.text);
    this.marks.show(chips, query.text);
    this.#answered = [query, meaning];
    this.#showTitle(query, meaning);
    const name = titleOf(query, (reference) => this.#nameOf(reference));
    this.recall.answered(query, name, { settled: this.#unsettled === null });
  }

  /** There is none. */
  failed(state) {
    this.chips.show([], state.text);
    this.marks.show([], state.text);
    this.#showTitle(state, null);
  }

  /** To begin to type: with what was searched for before, where the box is empty. */
  focus() {
    this.box.focus();
    this.recall.open();
  }

  /** @param {object[]} terms as in state.js; those that are there already get the new weight */
  add(terms) {
    return this.#change({ terms: terms.reduce(withTerm, this.#present.terms), open: null });
  }

  /** @param {string} text a filter, or more words */
  addToBox(text) {
    return this.#change({ text: `${this.box.text} ${text}`.trim(), open: null });
  }

  #showTerms(state) {
    const nameOf = (reference) => this.#nameOf(reference);
    this.terms.show(state.terms, nameOf);
  }

  #showTitle(state, meaning) {
    const nameOf = (reference) => this.#nameOf(reference);
    const query = titleOf(state, nameOf);
    const seen = titleOf({ ...state, text: meaning ?? state.text }, nameOf);
    this.page.status.title(seen ?? (query && say("query.filtered")), query);
  }

  async #crop(term) {
    const url = term.kind === "picture" ? api.pictureUrl(term.ref) : api.thumbnailOf(term.ref, 1280);
    const region = await this.cropDialog.choose(url, term.region);
    if (region !== undefined) this.#change({ terms: withRegion(this.#present.terms, term, region) });
  }

  #change(changed, how) {
    return this.page.go({ ...this.#present, ...changed }, how);
  }

  /** A change that goes on, by keys or by a slider, until it is settled: all of it is one step back. */
  #adjust(what, changed, settled) {
    this.#change(changed, { replace: this.#unsettled === what });
    this.#unsettled = settled ? null : what;
  }

  #remove(term) {
    if (!term) return;
    this.#change({ terms: this.#present.terms.filter((other) => termKey(other) !== termKey(term)) });
    this.box.words.focus();
  }

  /** All together are one step, also when some are refused. */
  async #send(files) {
    const sent = await Promise.all(files.map((file) => this.#sendOne(file)));
    const terms = sent.filter(Boolean).map((ref) => ({ kind: "picture", ref }));
    if (terms.length) await this.add(terms);
  }

  /** @returns {Promise<string | null>} its hash, or null when it was refused */
  async #sendOne(file) {
    const done = this.terms.wait(file);
    try {
      const hash = await api.keepPicture(file);
      await drawn(api.pictureUrl(hash));
      return hash;
    } catch (error) {
      if (!(error instanceof api.RequestFailed)) throw error;
      const named = say("query.refused", { name: file.name, reason: error.message });
      this.page.status.problem(named, error.mayPass ? () => this.#send([file]) : null);
      return null;
    } finally {
      done();
    }
  }

  #nameOf(reference) {
    const name = this.page.known(reference)?.name;
    if (name) this.#names.set(reference, name);
    return this.#names.get(reference) ?? null;
  }

  /** A link names images by their ids alone. */
  async #learnNames(state) {
    const unknown = state.terms.filter(({ kind, ref }) => kind === "like" && this.#nameOf(ref) === null);
    const found = await Promise.allSettled(unknown.map(({ ref }) => api.image(ref)));
    for (const { value } of found) if (value) this.#names.set(value.id, value.name); // the search says what is gone
    if (!unknown.length || this.page.state !== state) return;
    this.#showTerms(state);
    if (this.#answered) this.#showTitle(...this.#answered);
  }
}

/** So that the card on the page never stands empty. */
async function drawn(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {}); // the search says what is wrong
}
