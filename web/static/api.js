// The JSON API, as functions. Every failure is a `RequestFailed` whose message is for a person.

import { messages } from "./messages.js";

export class RequestFailed extends Error {
  /** @param {number} status HTTP status; 0 when the server could not be reached */
  constructor(message, status) {
    super(message);
    this.status = status;
  }

  /** Whether the same request may succeed later: it was not the request that was wrong. */
  get mayPass() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * One page of hits, best first.
 * @param {{text: string, picture?: string, like?: number, file?: File}} query a file comes before `picture` and `like`
 * @returns {Promise<{hits: object[], images: number, seconds: number, next_offset: number | null, cursor: string | null,
 *   query: object}>}
 */
export function search(query, { k, offset, signal }) {
  return request("/api/search", { method: "POST", signal, ...searchBody(query, k, offset) });
}

/** The page after the one that came with `cursor`, of the same pictures. Status 410: they are not kept any more. */
export function searchOn(cursor, { k, signal }) {
  return request(`/api/search?${new URLSearchParams({ cursor, k })}`, { signal });
}

/** Images, newest first: `{images, next_before}`. */
export function recent({ limit, before, signal }) {
  const query = new URLSearchParams({ limit });
  if (before !== null) query.set("before", before);
  return request(`/api/images?${query}`, { signal });
}

export const image = (id, signal) => request(`/api/images/${id}`, { signal });

export const stats = () => request("/api/stats");

/** Where the picture of a query is shown from. */
export const pictureUrl = (hash) => `/api/query-images/${encodeURIComponent(hash)}`;

/** The small thumbnail of an image of which no more than the id is known. */
export const thumbnailOf = (id) => `/api/images/${id}/thumbnail?side=320`;

/** @param {320 | 1280} side longest side in pixels */
export function thumbnailUrl({ thumbnail_url: url }, side) {
  const address = new URL(url, location.href);
  address.searchParams.set("side", side);
  return address.pathname + address.search;
}

/**
 * Where in an image a query is, as a picture to lay over it; `flat` when no part stands out.
 * @returns {Promise<{blob: Blob, flat: boolean}>}
 */
export async function heatMap({ id }, { text, picture, like }, signal) {
  const query = new URLSearchParams({ side: 320 });
  if (text) query.set("text", text);
  if (picture) query.set("query_image", picture);
  else if (like !== null) query.set("image_id", like);
  const response = await answer(`/api/images/${id}/heat-map?${query}`, { signal });
  return { blob: await response.blob(), flat: response.headers.get("Heat-Map-Flat") === "true" };
}

function searchBody({ text, picture, like, file }, k, offset) {
  if (file) {
    const form = new FormData();
    if (text) form.set("text", text);
    form.set("image", file);
    form.set("k", k);
    form.set("offset", offset);
    return { body: form };
  }
  const fields = { k, offset };
  if (text) fields.text = text;
  if (picture) fields.query_image = picture;
  else if (like !== null) fields.image_id = like;
  return { body: JSON.stringify(fields), headers: { "Content-Type": "application/json" } };
}

const request = async (url, options) => (await answer(url, options)).json();

async function answer(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestFailed(messages.unreachable, 0);
  }
  if (!response.ok) throw new RequestFailed(await reason(response), response.status);
  return response;
}

/** The `detail` of a problem document, or a sentence with the status when there is none. */
async function reason(response) {
  const body = await response.json().catch(() => null);
  return typeof body?.detail === "string" ? body.detail : messages.failed(response.status);
}
