// What could not be indexed: by the reason, with the files of each when somebody opens it, and trying again.

import { say } from "../shared/say.js";
import { mayIndex } from "./folders.js";
import { drawRows, write } from "./rows.js";

const A_PAGE = 100;

export class FailureList {
  /**
   * @param {{section, list, actions: HTMLElement, template: HTMLTemplateElement}} elements
   * @param {{onRetry: (path: string, kind: string, button: HTMLElement) => void,
   *   fetchFiles: (reason: string, after: number, limit: number) => Promise<object | null>}} handlers
   */
  constructor({ section, list, actions, template }, { onRetry, fetchFiles }) {
    Object.assign(this, { section, list, actions, template, onRetry, fetchFiles });
    // `toggle` does not bubble.
    list.addEventListener("toggle", ({ target }) => target.open && this.#fill(target), true);
    list.addEventListener("click", ({ target }) => {
      const more = target.closest('[data-action="more"]');
      if (more) this.#more(more.closest("details"));
    });
  }

  /** @param {object} found as `/api/failures` has it @param {object} startable as `/api/startable` has it */
  show({ failures, reasons, roots }, startable) {
    this.section.hidden = failures === 0;
    drawRows(this.list, reasons, {
      key: ({ reason }) => reason,
      template: this.template,
      update: (row, { reason, failures: count }) => {
        write(row.querySelector(".reason"), reason);
        write(row.querySelector(".state"), say("library.failures.number", { count }));
        const details = row.querySelector("details");
        const changed = row.dataset.count !== String(count);
        row.dataset.count = count;
        if (changed && details.open) this.#fill(details);
      },
    });
    const retried = roots.filter((root) => mayIndex(startable, root));
    this.actions.replaceChildren(...retried.map((root) => this.#retry(root, roots.length === 1)));
  }

  #retry({ path, kind, failures }, alone) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = alone ? say("library.failures.retry") : say("library.failures.retry_in", { path, failures });
    button.addEventListener("click", () => this.onRetry(path, kind, button));
    return button;
  }

  async #fill(details) {
    details.querySelector("ol").replaceChildren();
    details.dataset.after = 0;
    await this.#more(details);
  }

  async #more(details) {
    const after = details.dataset.after;
    const found = await this.fetchFiles(details.closest(".row").dataset.key, Number(after), A_PAGE);
    if (found === null || details.dataset.after !== after) return; // another answer has come before
    details.querySelector("ol").append(...found.files.map(lineOf));
    details.dataset.after = found.next_after ?? 0;
    details.querySelector('[data-action="more"]').hidden = found.next_after === null;
  }
}

/** The folder in soft ink, and the reason where it says more than that of the group. */
function lineOf({ path, reason }) {
  const line = document.createElement("li");
  const folder = document.createElement("span");
  const at = path.lastIndexOf("/") + 1;
  folder.className = "soft";
  folder.textContent = path.slice(0, at);
  line.append(folder, path.slice(at));
  line.title = reason;
  return line;
}
