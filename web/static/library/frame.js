// What every page about the library does: the theme, the collection that is meant, and saying what went wrong.

import { RequestFailed } from "../shared/api.js";
import { CollectionChoice } from "../shared/collection-choice.js";
import { Status } from "../shared/status.js";
import { watchTheme } from "../shared/theme.js";
import { collection } from "./requests.js";

export const part = (id) => document.querySelector(`#${id}`);

export class Frame {
  constructor() {
    this.status = new Status({ problem: part("problem") });
    this.choice = new CollectionChoice(
      part("collection"),
      (name) => location.assign(`${location.pathname}?${new URLSearchParams({ in: name })}`),
      { all: false },
    );
  }

  start() {
    watchTheme(part("theme"));
    if (collection !== null) keepCollection(document.querySelectorAll(".places a"));
    this.choice.load(collection).catch((error) => this.failed(error));
  }

  /**
   * Something that a person asked for.
   * @param {() => Promise<unknown>} action @param {HTMLButtonElement | null} button not to be clicked meanwhile
   * @returns {Promise<unknown>} what it gives, or null where it failed, which was said
   */
  async attempt(action, button = null) {
    const focused = button !== null && document.activeElement === button;
    if (button) button.disabled = true;
    this.status.settled();
    try {
      return await action();
    } catch (error) {
      this.failed(error);
      return null;
    } finally {
      if (button) button.disabled = false;
      if (focused && button.isConnected) button.focus();
    }
  }

  /** @param {(() => void) | null} retry offered where the server could not be reached */
  failed(error, retry = null) {
    if (!(error instanceof RequestFailed)) throw error;
    this.status.problem(error.message, error.status === 0 ? retry : null);
  }
}

function keepCollection(links) {
  for (const link of links) link.search = new URLSearchParams({ in: collection });
}
