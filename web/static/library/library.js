// The page of the library, composed. Jobs run in processes of their own and say every few seconds in the catalog how far
// they are, so the page asks for that: soon while one runs, now and then otherwise, never while nobody looks.

import { RequestFailed } from "../shared/api.js";
import { CollectionChoice } from "../shared/collection-choice.js";
import { Status } from "../shared/status.js";
import { watchTheme } from "../shared/theme.js";
import { JobList, isActive } from "./jobs.js";
import { ModelList } from "./models.js";
import { showOverview } from "./overview.js";
import * as requests from "./requests.js";
import { drawRows, showActions, watchActions, write } from "./rows.js";

const SOON = 2000; // ms
const LATER = 15000;
const FEW = 8; // jobs shown at first
const MANY = 200;
const part = (id) => document.querySelector(`#${id}`);

class LibraryPage {
  #timer = 0;
  #seen = null; // ids and states of the jobs as last shown
  #limit = FEW;
  #images = 0;
  #unreachable = false;
  #round = 0; // of looking: only the newest may show what it found

  constructor() {
    this.status = new Status({ problem: part("problem") });
    this.jobs = new JobList(part("jobs"), part("job-row"), {
      onAsk: (id, wish, button) => this.#do(() => requests.ask(id, wish), button),
      onAgain: (job, button) => this.#do(() => again(job), button),
      fetchLog: (id) => this.#log(id),
    });
    this.choice = new CollectionChoice(
      part("collection"),
      (name) => location.assign(`/library?${new URLSearchParams({ in: name })}`),
      { all: false },
    );
    this.models = new ModelList(part("models"), part("model-row"), {
      onPromote: ({ id }, button) => this.#do(() => requests.promote(id), button),
      onRollback: (_, button) => this.#do(() => requests.rollback(), button),
      onReindex: ({ model }, button) => this.#do(() => requests.reindex(model), button),
    });
  }

  start() {
    watchTheme(part("theme"));
    watchActions(part("folders"), (folder, _, button) => this.#do(() => requests.index(folder), button));
    part("embed").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(() => requests.reindex(part("embed-model").value), event.submitter);
    });
    part("deduplicate").addEventListener("click", ({ currentTarget }) =>
      this.#do(() => requests.deduplicate(), currentTarget),
    );
    part("tag").addEventListener("click", ({ currentTarget }) => this.#do(() => requests.tag(), currentTarget));
    part("all-jobs").addEventListener("click", () => {
      this.#limit = MANY;
      this.#look();
    });
    document.addEventListener("visibilitychange", () => this.#look());
    this.choice.load(requests.collection).catch((error) => this.#failed(error));
    this.#look();
  }

  /** Something that a person asked for; then what came of it. */
  async #do(action, button) {
    button.disabled = true;
    this.status.settled();
    try {
      await action();
    } catch (error) {
      this.#failed(error);
    } finally {
      button.disabled = false;
    }
    this.#seen = null; // a promotion changes no job
    await this.#look();
  }

  async #look() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    const round = (this.#round += 1);
    let soon = false;
    try {
      const jobs = await requests.jobs(this.#limit + 1);
      if (round !== this.#round) return;
      soon = jobs.some(isActive);
      this.#showJobs(jobs);
      const seen = jobs.map(({ id, state }) => `${id} ${state}`).join();
      if (seen !== this.#seen) await this.#showRest(round);
      else if (soon) this.models.show(await requests.models(), this.#images);
      this.#seen = seen;
      if (this.#unreachable) this.status.settled();
      this.#unreachable = false;
    } catch (error) {
      this.#failed(error);
      this.#unreachable = true;
    }
    if (round === this.#round) this.#timer = setTimeout(() => this.#look(), soon ? SOON : LATER);
  }

  #showJobs(jobs) {
    this.jobs.show(jobs.slice(0, this.#limit));
    part("no-jobs").hidden = jobs.length > 0;
    part("all-jobs").hidden = jobs.length <= this.#limit || this.#limit === MANY;
  }

  async #showRest(round) {
    const [stats, models, startable] = await Promise.all([
      requests.stats(),
      requests.models(),
      requests.startable(),
    ]);
    if (round !== this.#round) return;
    this.#images = stats.images;
    showOverview({ figure: part("images"), formats: part("formats"), facts: part("facts") }, stats);
    this.models.show(models, stats.images);
    showChoices(part("embed-model"), startable.models.filter((name) => !models.some(({ model }) => model === name)));
    part("embed").hidden = !part("embed-model").options.length;
    showFolders(startable.folders);
  }

  async #log(id) {
    try {
      return (await requests.job(id)).log;
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  #failed(error) {
    if (!(error instanceof RequestFailed)) throw error;
    this.status.problem(error.message, error.status === 0 ? () => this.#look() : null);
  }
}

/** The same once more, of a job that is over. */
function again({ kind, arguments: { folder, model } }) {
  const kinds = {
    index: () => requests.index(folder),
    reindex: () => requests.reindex(model),
    deduplicate: () => requests.deduplicate(),
    tag: () => requests.tag(),
  };
  return kinds[kind]();
}

function showChoices(select, names) {
  if (Array.from(select.options, ({ value }) => value).join("\n") === names.join("\n")) return;
  select.replaceChildren(...names.map((name) => new Option(name)));
}

function showFolders(folders) {
  drawRows(part("folders"), folders, {
    key: (folder) => folder,
    template: part("folder-row"),
    update: (row, folder) => {
      write(row.querySelector(".of"), folder);
      showActions(row, ["index"], folder);
    },
  });
}

new LibraryPage().start();
