// What these pages ask of the JSON API, of the collection that their address names. Failures are `RequestFailed`, as in api.js.

import { request } from "../shared/api.js";

/** From `?in=NAME`; null is the first. */
export const collection = new URLSearchParams(location.search).get("in");

export function about(url, fields = {}) {
  const query = new URLSearchParams({ ...fields, ...(collection !== null && { collection }) });
  return query.size ? `${url}?${query}` : url;
}

const post = (url, fields) => send("POST", about(url), fields);

const send = (method, url, fields) =>
  request(url, {
    method,
    ...(fields && { body: JSON.stringify(fields), headers: { "Content-Type": "application/json" } }),
  });

export const stats = () => request(about("/api/stats"));
export const models = async () => (await request(about("/api/models"))).models;
export const startable = () => request(about("/api/startable"));
export const jobs = async (limit) => (await request(about("/api/jobs", { limit }))).jobs;
export const jobEvents = (limit) => about("/api/jobs/events", { limit });
export const job = (id) => request(about(`/api/jobs/${id}`));

/** @param {"pause" | "resume" | "cancel"} wish */
export const ask = (id, wish) => post(`/api/jobs/${id}/${wish}`);

/** @param {string} source kind of the source, as roots have it */
export const index = (folder, source = "folder") =>
  post("/api/jobs", { kind: "index", folder, ...(source !== "folder" && { source }) });

export const reindex = (model) => post("/api/jobs", { kind: "reindex", model });
export const map = () => post("/api/jobs", { kind: "map" });
export const deduplicate = () => post("/api/jobs", { kind: "deduplicate" });
export const tag = () => post("/api/jobs", { kind: "tag" });

/** A map on top of the model, which is the quickest training; its result is listed among the models that can be had. */
export const train = (model) => post("/api/jobs", { kind: "train", model, train: "adapter" });
export const promote = (id) => post(`/api/models/${id}/promote`);
export const rollback = () => post("/api/models/rollback");

export const healthReport = async () => (await request(about("/api/health-report"))).findings;
export const failures = () => request(about("/api/failures"));

/** @param {number} after 0 for the first page */
export const failingFiles = (reason, after, limit) => request(about("/api/failures/files", { reason, after, limit }));

export const tags = (limit) => request(about("/api/tags", { limit }));
export const tagExamples = async (tag, limit) => (await request(about("/api/tag-examples", { tag, limit }))).images;
export const labelList = (name) => request(about(`/api/tag-lists/${encodeURIComponent(name)}`));

/** @param {string | null} text null for the list that ships */
export const putLabelList = (name, text) => send("PUT", about(`/api/tag-lists/${encodeURIComponent(name)}`), { text });
export const removeLabelList = (name) => send("DELETE", about(`/api/tag-lists/${encodeURIComponent(name)}`));

const conceptAt = (name) => about(`/api/concepts/${encodeURIComponent(name)}`);
export const concepts = async () => (await request(about("/api/concepts"))).concepts;
export const concept = (name) => request(conceptAt(name));
export const renameConcept = (name, other) => send("PATCH", conceptAt(name), { name: other });
export const forgetConcept = (name) => send("DELETE", conceptAt(name));

/** A page of groups of duplicates: of one class, or of all. */
export function duplicates({ kind, undecided, after, limit }) {
  return request(about("/api/duplicates", { ...groupsOf(kind), undecided, after, limit }));
}

export const duplicatesSummary = () => request(about("/api/duplicates/summary"));
export const othersAddress = (kind) => about("/api/duplicates/others", kind === "all" ? {} : groupsOf(kind));

/** @param {object} decision as `/api/duplicates/decisions` takes it @returns {Promise<object[]>} the groups these are in now */
export const decide = async (decision, kind) =>
  (await send("POST", about("/api/duplicates/decisions", levelOf(kind)), decision)).groups;

/** Look-alikes stand alone; what is a duplicate is grouped by all closer classes, and has a class of its own. */
const levelOf = (kind) => ({ class: kind === "look-alike" ? "look-alike" : "burst" });
const groupsOf = (kind) => ({ ...levelOf(kind), ...(!["all", "look-alike"].includes(kind) && { only: kind }) });
