// What this page asks of the JSON API. Failures are `RequestFailed`, as in api.js.

import { request } from "../api.js";

const post = (url, fields) =>
  request(url, {
    method: "POST",
    ...(fields && { body: JSON.stringify(fields), headers: { "Content-Type": "application/json" } }),
  });

export const stats = () => request("/api/stats");
export const models = async () => (await request("/api/models")).models;
export const startable = () => request("/api/startable");
export const jobs = async (limit) => (await request(`/api/jobs?limit=${limit}`)).jobs;
export const job = (id) => request(`/api/jobs/${id}`);

/** @param {"pause" | "resume" | "cancel"} wish */
export const ask = (id, wish) => post(`/api/jobs/${id}/${wish}`);
export const index = (folder) => post("/api/jobs", { kind: "index", folder });
export const reindex = (model) => post("/api/jobs", { kind: "reindex", model });
export const promote = (id) => post(`/api/models/${id}/promote`);
export const rollback = () => post("/api/models/rollback");
