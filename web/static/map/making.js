// When there is no map yet, or an old one: how it is made, and how far that is.

import { say } from "../shared/say.js";
import { JobFeed } from "../library/job-feed.js";
import { part } from "../library/frame.js";
import * as requests from "../library/requests.js";

const KIND = "map";
const FEW = 20; // of the newest jobs, among which one of a map is looked for
const ACTIVE = ["queued", "running"];
const isActive = ({ kind, state }) => kind === KIND && ACTIVE.includes(state);

export class MakingOf {
  #feed = null;
  #was = null; // the job as it was told of last

  /** @param {Frame} frame @param {() => void} onMade */
  constructor(frame, onMade) {
    this.frame = frame;
    this.onMade = onMade;
    for (const button of [part("make"), part("make-anew")]) {
      button.addEventListener("click", async () => {
        if (await this.frame.attempt(() => requests.map(), button)) this.#watch();
      });
    }
  }

  /** @param {{version: string | null, stale: boolean, images: number}} map */
  show({ version, stale, images }) {
    part("no-map").hidden = version !== null;
    part("stale").hidden = version === null || !stale;
    part("make").disabled = images === 0;
    part("nothing-to-map").hidden = images > 0;
    this.#watch();
  }

  #watch() {
    this.#feed ??= new JobFeed({
      address: () => requests.jobEvents(FEW),
      ask: () => requests.jobs(FEW),
      isActive,
      onJobs: (all) => this.#told(all.find(({ kind }) => kind === KIND) ?? null),
      onFailure: (error) => this.frame.failed(error),
    });
    this.#feed.open();
  }

  #told(job) {
    const active = job !== null && isActive(job);
    const before = this.#was;
    this.#was = job;
    part("making").hidden = !active;
    part("make").hidden = part("make-anew").hidden = active;
    if (active) this.#drawProgress(job);
    part("making-failed").hidden = job?.state !== "failed";
    part("making-failed").textContent = job?.state === "failed" ? say("map.failed", { reason: job.message }) : "";
    if (before && isActive(before) && job?.state === "done") this.onMade();
  }

  #drawProgress({ done, total }) {
    const bar = part("making-progress");
    if (total) Object.assign(bar, { max: total, value: done });
    else bar.removeAttribute("value"); // the model is being loaded, and neighbours are being found
  }
}
