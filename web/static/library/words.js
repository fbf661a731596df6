// The English texts of this page's modules, and how they write numbers.

import { formatBytes, formatCount, messages } from "../shared/messages.js";

const language = document.documentElement.lang;
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const rate = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export const formatPercent = (share) => percent.format(share);
export const formatMoment = (iso) => moment.format(new Date(iso));

export const words = {
  kinds: { index: "Index", reindex: "Embed", train: "Train", tag: "Tag", deduplicate: "Find duplicates" },
  units: { train: "steps" },
  states: {
    queued: "waiting",
    running: "running",
    interrupted: "interrupted",
    paused: "paused",
    done: "done",
    failed: "failed",
    cancelled: "cancelled",
  },
  wishes: { pause: "stops soon", cancel: "ends soon" },
  serving: "answers searches",
  previous: "answered before",
  loading: "…",
  noLog: "Nothing was written down.",
  facts: {
    size: "Size of the files",
    onDisk: "Size of the library",
    folder: "Library",
    roots: "Folders",
    index: "Vector index",
    recall: "Finds, of the 10 nearest",
    precision: "Computed in",
    version: "Sightline",
  },
  exact: "all: it compares every picture",
  recall: ({ recall10_images: images, recall10_texts: texts }) =>
    texts === null
      ? formatPercent(images)
      : `${formatPercent(images)} for pictures, ${formatPercent(texts)} for words`,
  index: ({ kind, tail, folding }) =>
    [kind, tail && `${formatCount(tail)} newer beside it`, folding && "being rebuilt"].filter(Boolean).join(", "),
  roots: (roots) =>
    [
      formatCount(roots.length),
      ...roots.filter(({ state }) => state === "offline").map(({ path }) => `offline: ${path}`),
    ].join(", "),
  embeddings: ({ embeddings, dimension }, images) =>
    embeddings < images
      ? `${formatCount(embeddings)} of ${messages.pictures(images)}, ${formatCount(dimension)} dimensions`
      : `${messages.pictures(embeddings)}, ${formatCount(dimension)} dimensions`,
  formats: (name, count) => `${name.toUpperCase()} ${formatCount(count)}`,
  bytes: formatBytes,
};

/** `4,096 of 20,000 · 41 a second · 6 minutes left`, or when it ended and what came of it. */
export function numbersOf(job) {
  const parts = [progressOf(job)];
  if (job.state === "running") {
    if (job.rate) parts.push(`${rate.format(job.rate)} a second`);
    if (job.seconds_left !== null) parts.push(`${formatDuration(job.seconds_left)} left`);
  } else {
    parts.push(outcomeOf(job), job.ended_at && formatMoment(job.ended_at));
  }
  return parts.filter(Boolean).join(" · ");
}

function progressOf({ kind, state, done, total }) {
  if (state === "done") return "";
  const unit = words.units[kind] ? ` ${words.units[kind]}` : "";
  if (total !== null) return `${formatCount(done)} of ${formatCount(total)}${unit}`;
  return done ? `${formatCount(done)}${unit}` : "";
}

function outcomeOf({ kind, result }) {
  if (!result) return "";
  if (kind === "index") {
    const names = ["added", "changed", "moved", "removed", "failed"];
    const counts = names.filter((name) => result[name]).map((name) => `${formatCount(result[name])} ${name}`);
    return counts.join(", ") || "nothing new";
  }
  if (kind === "reindex") return reindexed(result);
  if (kind === "deduplicate") return `${formatCount(result.groups.same)} pictures in several versions, ${formatCount(result.copies)} copies`;
  if (kind === "tag" && "tags" in result) return `${formatCount(result.tags)} tags`;
  if (kind === "train") return `best after epoch ${result.best_epoch}, in ${result.out}`;
  return "";
}

function reindexed({ filled, missing, comparison }) {
  const parts = [`${formatCount(filled)} embedded`];
  if (missing) parts.push(`${formatCount(missing)} missing`);
  if (comparison) {
    parts.push(`${formatPercent(comparison.text_overlap)} of the first ten hits are the same`);
    const [before, after] = [comparison.serving, comparison.candidate].map(({ recall }) => recall?.["10"]);
    if (before !== undefined) parts.push(`R@10 of captions ${rate.format(before)} → ${rate.format(after)}`);
  }
  return parts.join(", ");
}

export function formatDuration(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return "less than a minute";
  if (minutes < 100) return minutes === 1 ? "1 minute" : `${minutes} minutes`;
  return `${rate.format(seconds / 3600)} hours`;
}
