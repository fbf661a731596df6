// The jobs, the newest first: how far each is, what can be done with it, and its log when somebody opens it.

import { say } from "../shared/say.js";
import { formatMoment, kindOf, numbersOf, stateOf } from "./job-words.js";
import { drawRows, showActions, watchActions, write } from "./rows.js";

const ACTIVE = ["queued", "running"];
const ACTIONS = {
  queued: ["resume", "cancel"],
  running: ["pause", "cancel"],
  interrupted: ["resume", "cancel"],
  paused: ["resume", "cancel"],
  failed: ["resume", "cancel"],
};
const REPEATED = ["index", "reindex", "deduplicate", "tag", "map"]; // what may be begun anew from here

/** Whether there is something to watch. */
export const isActive = ({ state }) => ACTIVE.includes(state);

export class JobList {
  /**
   * @param {{onAsk: (id: number, wish: string, button: HTMLElement) => void,
   *   onAgain: (job: object, button: HTMLElement) => void, fetchLog: (id: number) => Promise<object[] | null>}} handlers
   */
  constructor(list, template, { onAsk, onAgain, fetchLog }) {
    this.list = list;
    this.template = template;
    this.fetchLog = fetchLog;
    watchActions(list, (key, action, button) => {
      const job = this.jobs.find(({ id }) => String(id) === key);
      if (action === "again") onAgain(job, button);
      else onAsk(job.id, action, button);
    });
    // `toggle` does not bubble.
    list.addEventListener("toggle", ({ target }) => target.open && this.#showLog(target.closest(".row")), true);
  }

  jobs = [];

  show(jobs) {
    this.jobs = jobs;
    drawRows(this.list, jobs, {
      key: ({ id }) => id,
      template: this.template,
      update: (row, job) => this.#update(row, job),
    });
  }

  #update(row, job) {
    const changed = row.dataset.changed !== changeOf(job);
    row.dataset.changed = changeOf(job);
    row.dataset.state = job.state;
    const name = kindOf(job);
    const of = String(Object.values(job.arguments)[0] ?? "");
    write(row.querySelector("h3"), name);
    write(row.querySelector(".of"), of);
    write(row.querySelector(".state"), stateOf(job));
    write(row.querySelector(".numbers"), numbersOf(job));
    writeMessage(row.querySelector(".message"), job);
    drawProgress(row.querySelector("progress"), job, name);
    showActions(row, actionsOf(job), `${name} ${of}`);
    if (changed && row.querySelector("details").open) this.#showLog(row);
  }

  async #showLog(row) {
    const list = row.querySelector(".log");
    if (!list.children.length) list.replaceChildren(line(say("library.jobs.loading")));
    const log = await this.fetchLog(Number(row.dataset.key));
    if (log === null) return;
    const lines = log.map(({ at, text }) => line(text, at));
    list.replaceChildren(...(lines.length ? lines : [line(say("library.jobs.no_log"))]));
  }
}

/** Differs when there may be more in its log. */
const changeOf = ({ state, done }) => `${state} ${done}`;

function actionsOf(job) {
  if (job.state === "running" && job.wish !== "run") return job.wish === "pause" ? ["resume", "cancel"] : [];
  return ACTIONS[job.state] ?? (REPEATED.includes(job.kind) ? ["again"] : []);
}

function writeMessage(element, { message, state }) {
  element.hidden = !message || state === "done";
  write(element, message);
}

function drawProgress(bar, job, name) {
  bar.hidden = ["done", "cancelled"].includes(job.state);
  bar.setAttribute("aria-label", name);
  if (job.total === null && job.state === "running") {
    bar.removeAttribute("value"); // how much there is has not been counted yet
    return;
  }
  bar.max = job.total || 1;
  bar.value = Math.min(job.done, bar.max);
}

function line(text, at = null) {
  const item = document.createElement("li");
  if (at !== null) {
    const time = document.createElement("time");
    time.dateTime = at;
    time.textContent = formatMoment(at);
    item.append(time, " ");
  }
  item.append(text);
  return item;
}
