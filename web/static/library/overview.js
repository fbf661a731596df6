// The page of what is indexed and of the work that is under way, composed. The stream of the jobs drives it: when a job
// begins or ends, everything else is asked for again.

import { FailureList } from "./failures.js";
import { Frame, part } from "./frame.js";
import { FolderList } from "./folders.js";
import { IndexHealth, showFindings } from "./health.js";
import { showHoldings } from "./holdings.js";
import { JobFeed } from "./job-feed.js";
import { JobList, isActive } from "./jobs.js";
import { ModelList } from "./models.js";
import * as requests from "./requests.js";

const FEW = 8; // jobs shown at first
const MANY = 99; // one less than the stream tells at most

class OverviewPage {
  #seen = null; // ids and states of the jobs as last shown
  #limit = FEW;
  #images = 0;
  #unreachable = false;
  #round = 0; // of asking for the rest: only the newest may show what it found

  constructor() {
    this.frame = new Frame();
    this.jobs = new JobList(part("jobs"), part("job-row"), {
      onAsk: (id, wish, button) => this.#do(() => requests.ask(id, wish), button),
      onAgain: (job, button) => this.#do(() => again(job), button),
      fetchLog: async (id) => (await this.frame.attempt(() => requests.job(id)))?.log ?? null,
    });
    this.models = new ModelList(part("models"), part("model-row"), {
      onPromote: ({ id }, button) => this.#do(() => requests.promote(id), button),
      onRollback: (_, button) => this.#do(() => requests.rollback(), button),
      onReindex: ({ model }, button) => this.#do(() => requests.reindex(model), button),
    });
    const index = (path, kind, button) => this.#do(() => requests.index(path, kind), button);
    this.folders = new FolderList(part("folders"), part("folder-row"), index);
    this.failures = new FailureList(
      { section: part("failed"), list: part("failures"), actions: part("retry"), template: part("failure-row") },
      {
        onRetry: index,
        fetchFiles: (...asked) => this.frame.attempt(() => requests.failingFiles(...asked)),
      },
    );
    this.health = new IndexHealth({
      figure: part("curve"),
      svg: part("curve").querySelector("svg"),
      says: part("index-says"),
      table: part("curve-rows"),
      legend: part("legend"),
    });
    this.feed = new JobFeed({
      address: () => requests.jobEvents(this.#limit + 1),
      ask: () => requests.jobs(this.#limit + 1),
      isActive,
      onJobs: (jobs) => this.#show(jobs),
      onFailure: (error) => this.#failed(error),
    });
  }

  start() {
    this.frame.start();
    for (const [id, begin] of [["embed", requests.reindex], ["train", requests.train]]) {
      part(id).addEventListener("submit", (event) => {
        event.preventDefault();
        this.#do(() => begin(part(`${id}-model`).value), event.submitter);
      });
    }
    for (const [id, begin] of [["deduplicate", requests.deduplicate], ["tag", requests.tag]]) {
      part(id).addEventListener("click", ({ currentTarget }) => this.#do(() => begin(), currentTarget));
    }
    part("all-jobs").addEventListener("click", () => {
      this.#limit = MANY;
      this.feed.open();
    });
    part("examine").addEventListener("click", ({ currentTarget }) => this.#examine(currentTarget));
    this.feed.open();
    this.#examine();
  }

  async #examine(button = null) {
    const findings = await this.frame.attempt(() => requests.healthReport(), button);
    const elements = { list: part("findings"), says: part("findings-say"), template: part("finding-row") };
    if (findings !== null) showFindings(elements, findings);
  }

  /** Something that a person asked for; then what came of it. */
  async #do(action, button) {
    await this.frame.attempt(action, button);
    this.#seen = null; // a promotion changes no job
    await this.feed.look();
  }

  #show(jobs) {
    this.jobs.show(jobs.slice(0, this.#limit));
    part("no-jobs").hidden = jobs.length > 0;
    part("all-jobs").hidden = jobs.length <= this.#limit || this.#limit === MANY;
    if (this.#unreachable) this.frame.status.settled();
    this.#unreachable = false;
    const seen = jobs.map(({ id, state }) => `${id} ${state}`).join();
    if (seen !== this.#seen) this.#showRest();
    else if (jobs.some(isActive)) this.#showModels();
    this.#seen = seen;
  }

  async #showRest() {
    const round = (this.#round += 1);
    try {
      const asked = [requests.stats(), requests.models(), requests.startable(), requests.failures()];
      const [stats, models, startable, failures] = await Promise.all(asked);
      if (round !== this.#round) return;
      part("sheet").hidden = false; // all of it at once, so that nothing moves when the rest arrives
      this.#images = stats.images;
      showHoldings({ figure: part("images"), formats: part("formats"), facts: part("facts") }, stats);
      this.health.show(stats.index);
      this.models.show(models, stats.images);
      this.failures.show(failures, startable);
      this.folders.show(stats.roots, startable);
      showChoices(part("embed-model"), startable.models.filter((name) => !models.some(({ model }) => model === name)));
      part("embed").hidden = !part("embed-model").options.length;
      showChoices(part("train-model"), startable.models);
      part("train").hidden = !stats.images || !startable.models.length;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** How many embeddings there are by now. */
  async #showModels() {
    const round = this.#round;
    try {
      const models = await requests.models();
      if (round === this.#round) this.models.show(models, this.#images);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error) {
    this.frame.failed(error, () => this.feed.open());
    this.#unreachable = true;
    this.#seen = null;
  }
}

/** The same once more, of a job that is over. */
function again({ kind, arguments: { folder, places, kind: source, model } }) {
  const kinds = {
    index: () => (folder === undefined ? requests.index(places[0], source) : requests.index(folder)),
    reindex: () => requests.reindex(model),
    deduplicate: () => requests.deduplicate(),
    tag: () => requests.tag(),
    map: () => requests.map(),
  };
  return kinds[kind]();
}

function showChoices(select, names) {
  if (Array.from(select.options, ({ value }) => value).join("\n") === names.join("\n")) return;
  select.replaceChildren(...names.map((name) => new Option(name)));
}

new OverviewPage().start();
