// What the page says of a search: its title, how many pictures were searched, that it is busy, what went wrong.

import { say } from "./say.js";

const LATE = 150; // ms before a search counts as slow: faster ones show nothing, so that nothing flickers

export class Status {
  /** @param {{title, count, problem, progress, main: HTMLElement}} elements */
  constructor(elements) {
    this.elements = elements;
  }

  #timer = 0;

  busy(onLate = () => {}) {
    clearTimeout(this.#timer);
    this.elements.main.setAttribute("aria-busy", "true");
    this.#timer = setTimeout(() => {
      this.elements.progress.hidden = false;
      onLate();
    }, LATE);
  }

  idle() {
    clearTimeout(this.#timer);
    this.elements.main.removeAttribute("aria-busy");
    this.elements.progress.hidden = true;
  }

  /**
   * @param {string | null} title what is on the page; null for the newest pictures
   * @param {string | null} query the same with all that it was searched by, for the window and its history
   */
  title(title, query = title) {
    this.elements.title.textContent = title ?? say("search.recent");
    document.title = query === null ? say("common.name") : `${query} · ${say("common.name")}`;
  }

  count(said) {
    if (this.elements.count.textContent !== said) this.elements.count.textContent = said;
  }

  /** @param {(() => void) | null} retry what "Try again" does; without it the message can only be dismissed */
  problem(message, retry = null) {
    const line = document.createElement("p");
    line.textContent = message;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = say(retry ? "common.retry" : "common.dismiss");
    button.addEventListener("click", () => {
      this.settled();
      retry?.();
    });
    this.elements.problem.replaceChildren(line, button);
  }

  settled() {
    this.elements.problem.replaceChildren();
  }
}
