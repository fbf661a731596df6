// The query as the visitor sees and changes it: the box, the terms beside it, and the title.

import * as api from "../shared/api.js";
import { say } from "../shared/say.js";
import { acceptPictures } from "./incoming.js";
import { SearchBox } from "./search-box.js";
import { termKey, withTerm } from "./state.js";
import { Terms } from "./terms.js";
import { titleOf } from "./title.js";

const part = (id) => document.querySelector(`#${id}`);

export class Query {
  /** @param {{state: object, go: Function, start: object, status: Status, known: Function}} page */
  constructor(page) {
    this.page = page;
    this.box = new SearchBox(part("search"), {
      onWords: (text, settled) => this.#change({ text }, settled),
      onRemoveLast: () => this.#remove(this.#present.terms.at(-1)),
      onClear: () => page.go(page.start),
    });
    this.terms = new Terms(part("terms"), part("term-card"), {
      onWeight: (term, weight, settled) =>
        this.#change({ terms: withTerm(this.#present.terms, { ...term, weight }) }, settled),
      onRemove: (term) => this.#remove(term),
    });
    acceptPictures(
      { overlay: part("drop"), button: part("pick"), input: part("file") },
      {
        onPictures: (files) => this.#send(files),
        onProblem: (message) => page.status.problem(message),
      },
    );
  }

  #unsettled = false; // the newest history entry is a query that is still being typed, so that more typing replaces it
  #names = new Map(); // of indexed images, by reference

  /** The page's state, with the words as they stand in the box now. */
  get #present() {
    return { ...this.page.state, text: this.box.text };
  }

  show(state) {
    this.#unsettled = false;
    this.box.show(state.text, state.terms.length > 0);
    this.#showTerms(state);
    this.#learnNames(state);
  }

  /** @param {object[]} terms as in state.js; those that are there already get the new weight */
  add(terms) {
    return this.#change({ terms: terms.reduce(withTerm, this.#present.terms), open: null }, true);
  }

  /** @param {string} text a filter, or more words */
  addToBox(text) {
    return this.#change({ text: `${this.box.text} ${text}`.trim(), open: null }, true);
  }

  #showTerms(state) {
    const nameOf = (reference) => this.#nameOf(reference);
    this.terms.show(state.terms, nameOf);
    this.page.status.title(titleOf(state, nameOf));
  }

  #change(changed, settled) {
    const replace = this.#unsettled;
    const shown = this.page.go({ ...this.#present, ...changed }, { replace });
    this.#unsettled = !settled;
    return shown;
  }

  #remove(term) {
    if (!term) return;
    this.#change({ terms: this.#present.terms.filter((other) => termKey(other) !== termKey(term)) }, true);
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
    if (unknown.length && this.page.state === state) this.#showTerms(state);
  }
}

/** So that the card on the page never stands empty. */
async function drawn(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {}); // the search says what is wrong
}
