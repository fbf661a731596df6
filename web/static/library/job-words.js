// What is said of a job: how far it is, how long it will take, and what came of it.

import { formatCount, formatDecimal } from "../shared/numbers.js";
import { canSay, language, say } from "../shared/say.js";

const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export const formatPercent = (share) => percent.format(share);
export const formatMoment = (iso) => moment.format(new Date(iso));

/** A text for a name that comes from the server, or the name itself where we have none. */
const named = (key, name) => (canSay(key) ? say(key) : name);

export const kindOf = ({ kind }) => named(`library.jobs.kinds.${kind}`, kind);

export function stateOf({ state, wish }) {
  const wished = `library.jobs.wishes.${wish}`;
  return state === "running" && canSay(wished) ? say(wished) : named(`library.jobs.states.${state}`, state);
}

/** `4,096 of 20,000 · 41 a second · 6 minutes left`, or when it ended and what came of it. */
export function numbersOf(job) {
  const parts = [progressOf(job)];
  if (job.state === "running") {
    if (job.rate) parts.push(say("library.jobs.rate", { rate: formatDecimal(job.rate) }));
    if (job.seconds_left !== null) parts.push(say("library.jobs.left", { time: formatDuration(job.seconds_left) }));
  } else {
    parts.push(outcomeOf(job), job.ended_at && formatMoment(job.ended_at));
  }
  return parts.filter(Boolean).join(" · ");
}

function progressOf({ kind, state, done, total }) {
  if (state === "done" || (total === null && !done)) return "";
  const steps = kind === "train";
  if (total !== null) return say(steps ? "library.jobs.steps_of" : "library.jobs.of", { done, total });
  return steps ? say("library.jobs.steps", { done }) : formatCount(done);
}

const OUTCOMES = {
  index: (result) =>
    ["added", "changed", "moved", "removed", "failed"]
      .filter((name) => result[name])
      .map((name) => say(`library.jobs.indexed.${name}`, { count: result[name] }))
      .join(", ") || say("library.jobs.nothing_new"),
  reindex: reindexed,
  deduplicate: ({ groups, copies }) =>
    [say("library.jobs.versions", { count: groups.same }), say("library.jobs.copies", { count: copies })].join(", "),
  tag: ({ tags }) => (tags === undefined ? "" : say("library.jobs.tags", { count: tags })),
  map: ({ shown }) => say("common.pictures", { count: shown }),
  train: ({ best_epoch: epoch, out }) => say("library.jobs.trained", { epoch, out }),
};

const outcomeOf = ({ kind, result }) => (result && OUTCOMES[kind]?.(result)) || "";

function reindexed({ filled, missing, comparison }) {
  const parts = [say("library.jobs.embedded", { count: filled })];
  if (missing) parts.push(say("library.jobs.missing", { count: missing }));
  if (comparison) {
    parts.push(say("library.jobs.overlap", { share: formatPercent(comparison.text_overlap) }));
    const [before, after] = [comparison.serving, comparison.candidate].map(({ recall }) => recall?.["10"]);
    if (before !== undefined) {
      parts.push(say("library.jobs.recall", { before: formatDecimal(before), after: formatDecimal(after) }));
    }
  }
  return parts.join(", ");
}

function formatDuration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return say("library.jobs.moments");
  if (minutes < 100) return say("library.jobs.minutes", { count: minutes });
  return say("library.jobs.hours", { hours: formatDecimal(seconds / 3600) });
}
