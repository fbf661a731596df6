// The JSON API, as functions. Every failure is a `RequestFailed` whose message is for a person.

import { say } from "./say.js";
import { partsOf, referenceOf } from "./reference.js";

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
 * One page of hits, best first; their `id`s, as everywhere on the page, are those of reference.js.
 * @param {object} query a state of the page, as in state.js
 * @returns {Promise<{hits: object[], images: number, seconds: number, next_offset: number | null, cursor: string | null,
 *   query: object, joined: string | null, unanswered: object[], matches: object | null, no_match: boolean | null,
 *   meaning: string | null, chips: object[]}>}
 */
export async function search(query, { k, offset, signal }) {
  const options = { signal, ...asJson({ ...searchFields(query), k, offset }) };
  return identified(await request(address("/api/search", scope(query)), options));
}

/**
 * The page after the one that came with `cursor`, of the same pictures; with `offset` any other page, of one collection.
 * Status 410: they are not kept any more.
 */
export async function searchOn(cursor, { query, k, offset, signal }) {
  const fields = { cursor, k, ...(offset !== undefined && { offset }), ...scope(query) };
  return identified(await request(address("/api/search", fields), { signal }));
}

/** How many pictures of a query there are of each kind: `{total, year: [{value, images, box}], ...}`. */
export const facets = async (query, signal) => (await counted(query, { facets: true }, signal)).facets;

/** The months of a query's pictures, the newest first: `{month, images, box}`. */
export const timeline = async (query, signal) => (await counted(query, { timeline: true }, signal)).timeline;

/** An order alone is a search for all pictures. */
async function counted(query, what, signal) {
  const sort = query.sort ?? (query.text || query.terms.length ? null : "newest");
  const body = { ...searchFields({ ...query, sort, collapse: false }), relevance: false, k: 1, ...what };
  return request(address("/api/search", scope(query)), { signal, ...asJson(body) });
}

/** Send a picture to search with. @returns {Promise<string>} the hash it is known by from now on */
export async function keepPicture(file, signal) {
  const headers = { "Content-Type": "application/octet-stream" };
  return (await request("/api/query-images", { method: "POST", body: file, headers, signal })).query_image;
}

/** The tags that images have, those with the most images first: `{name, images}`. */
export const tags = async (collection, limit) =>
  (await request(address("/api/tags", { limit, ...scope({ collection }) }))).tags;

/** Images, newest first: `{images, next_before, total}`; of the first collection unless one is named. */
export async function recent({ collection, limit, before, offset, signal }) {
  const fields = { limit, offset, ...(before !== null && { before }), ...scope({ collection }) };
  return identified(await request(address("/api/images", fields), { signal }));
}

export async function image(reference, signal) {
  const found = await request(address(`/api/images/${partsOf(reference).id}`, scopeOf(reference)), { signal });
  return { ...found, id: referenceOf(found) };
}

/** An image and what a search collapses with it. */
export async function duplicatesOf(reference) {
  const found = await request(address(`/api/images/${partsOf(reference).id}/duplicates`, scopeOf(reference)));
  return identified(found).images;
}

export const stats = (collection) => request(address("/api/stats", scope({ collection })));

/** Those that are served: `{name, images, model, problem}`. */
export const collections = async () => (await request("/api/collections")).collections;

/** Where the picture of a query is shown from. */
export const pictureUrl = (hash) => `/api/query-images/${encodeURIComponent(hash)}`;

/** A thumbnail of an image of which no more than the id is known. */
export const thumbnailOf = (reference, side = 320) =>
  address(`/api/images/${partsOf(reference).id}/thumbnail`, { side, ...scopeOf(reference) });

/** @param {320 | 1280} side longest side in pixels */
export function thumbnailUrl({ thumbnail_url: url }, side) {
  const sized = new URL(url, location.href);
  sized.searchParams.set("side", side);
  return sized.pathname + sized.search;
}

function address(path, fields) {
  const query = new URLSearchParams(fields);
  return query.size ? `${path}?${query}` : path;
}

/** The collection that a query is about: that of the images it names, else the one that was chosen, if any. */
function scope({ terms = [], right = [], wrong = [], collection = null }) {
  const named = [...terms.filter(({ kind }) => kind === "like").map(({ ref }) => ref), ...right, ...wrong];
  return scopeOf(named[0] ?? null, collection);
}

/** The collection that a reference names, else another. */
function scopeOf(reference, otherwise = null) {
  const name = partsOf(reference).collection ?? otherwise;
  return name === null ? {} : { collection: name };
}

function identified(page) {
  const named = (items) => items?.map((item) => ({ ...item, id: referenceOf(item) }));
  return { ...page, hits: named(page.hits), images: Array.isArray(page.images) ? named(page.images) : page.images };
}

/** How likely hits match is said of words alone; beside other terms nothing is claimed. */
function searchFields({ text, terms, sort, collapse, right, wrong }) {
  const ids = (references) => references.map((reference) => partsOf(reference).id);
  return {
    ...(text && { box: text, relevance: true }),
    ...(terms.length && { terms: terms.map(termFields) }),
    ...(sort && { sort }),
    ...(collapse && { collapse_duplicates: true }),
    ...((right.length || wrong.length) && { feedback: { right: ids(right), wrong: ids(wrong) } }),
  };
}

function termFields({ kind, ref, weight, region }) {
  const what = { picture: { query_image: ref }, text: { text: ref }, like: { image_id: partsOf(ref).id } }[kind];
  return { ...what, weight, ...(region && { region }) };
}

const asJson = (fields) => ({
  method: "POST",
  body: JSON.stringify(fields),
  headers: { "Content-Type": "application/json" },
});

/** The JSON that an address answers with; `options` are those of `fetch`. */
export const request = async (url, options) => (await answer(url, options)).json();

/** The answer of an address, whatever it holds. */
export async function answer(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestFailed(say("common.unreachable"), 0);
  }
  if (!response.ok) throw new RequestFailed(await reason(response), response.status);
  return response;
}

/** The `detail` of a problem document, or a sentence with the status when there is none. */
async function reason(response) {
  const body = await response.json().catch(() => null);
  return typeof body?.detail === "string" ? body.detail : say("common.failed", { status: response.status });
}
