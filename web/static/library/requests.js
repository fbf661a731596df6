// What these pages ask of the JSON API, of the collection that their address names. Failures are `RequestFailed`, as in api.js.

import { request } from "../shared/api.js";

/** From `?in=NAME`; null is the first. */
export const collection = new URLSearchParams(location.search).get("in");

function about(url, fields = {}) {
  const query = new URLSearchParams({ ...fields, ...(collection !== null && { collection }) });
  return query.size ? `${url}?${query}` : url;
}

const post = (url, fields) =>
  request(about(url), {
    method: "POST",
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
export const index = (folder) => post("/api/jobs", { kind: "index", folder });
export const reindex = (model) => post("/api/jobs", { kind: "reindex", model });
export const deduplicate = () => post("/api/jobs", { kind: "deduplicate" });
export const tag = () => post("/api/jobs", { kind: "tag" });
export const promote = (id) => post(`/api/models/${id}/promote`);
export const rollback = () => post("/api/models/rollback");
