// The work of one kind while it is under way, as a line with a bar, on a page that waits for it.

import { JobFeed } from "./job-feed.js";
import { numbersOf } from "./job-words.js";
import { isActive } from "./jobs.js";
import * as requests from "./requests.js";
import { write } from "./rows.js";

const LOOKED_AT = 10; // the newest jobs: one that runs is among them

export class JobLine {
  #active = null; // the number of the job that was last seen under way

  /** @param {HTMLElement} element @param {string} kind @param {{onEnd: () => void, onFailure: (error: Error) => void}} handlers */
  constructor(element, kind, { onEnd, onFailure }) {
    Object.assign(this, { element, kind, onEnd });
    this.feed = new JobFeed({
      address: () => requests.jobEvents(LOOKED_AT),
      ask: () => requests.jobs(LOOKED_AT),
      isActive,
      onJobs: (jobs) => this.#show(jobs),
      onFailure,
    });
  }

  open() {
    this.feed.open();
  }

  /** After the job was begun from here. */
  look() {
    return this.feed.look();
  }

  #show(jobs) {
    const job = jobs.find((one) => one.kind === this.kind && isActive(one));
    this.element.hidden = !job;
    if (job) this.#draw(job);
    const ended = this.#active !== null && job?.id !== this.#active;
    this.#active = job?.id ?? null;
    if (ended) this.onEnd();
  }

  #draw(job) {
    const bar = this.element.querySelector("progress");
    bar.setAttribute("aria-label", this.element.dataset.name ?? "");
    if (job.total) {
      bar.max = job.total;
      bar.value = Math.min(job.done, job.total);
    } else bar.removeAttribute("value");
    write(this.element.querySelector(".numbers"), [this.element.dataset.name, numbersOf(job)].filter(Boolean).join(" "));
  }
}
