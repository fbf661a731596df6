// What the map asks of the JSON API, of the collection that the address names.

import { request, search } from "../shared/api.js";
import { START } from "../query/state.js";
import { about, collection } from "../library/requests.js";

const LIT = 200; // pictures that a search lights up, at most

export const map = () => request(about("/api/map"));

/** @param {string} version of the map, so that another one is not taken from a cache */
export async function points(version) {
  const response = await fetch(about("/api/map/points", { version }));
  if (!response.ok) throw new Error(`the points of the map: status ${response.status}`);
  return response.arrayBuffer();
}

/** Ids of the pictures that words find, best first: at most a tenth of those that are shown. */
export async function found(text, shown, signal) {
  const k = Math.min(LIT, Math.ceil(shown / 10));
  const { hits } = await search({ ...START, text, collection }, { k, offset: 0, signal });
  return hits.map(({ id }) => Number.parseInt(id, 10));
}

export const image = (id) => request(about(`/api/images/${id}`));
export const thumbnail = (id) => about(`/api/images/${id}/thumbnail`, { side: 320 });
