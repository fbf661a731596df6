// What the large view asks the API beside the picture. References to images are those of reference.js.

import { answer, request } from "../shared/api.js";
import { partsOf, referenceOf } from "../shared/reference.js";

function address(path, collection, fields = {}) {
  const query = new URLSearchParams({ ...fields, ...(collection !== null && { collection }) });
  return query.size ? `${path}?${query}` : path;
}

function about(reference, what, fields) {
  const { id, collection } = partsOf(reference);
  return address(`/api/images/${id}/${what}`, collection, fields);
}

const sending = (method, body) => ({
  method,
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json" },
});

/**
 * Where in an image a part of a query is, as a picture to lay over it; `flat` when nothing stands out.
 * @param {{text: string} | {like: number | string, region: number[] | null} | {picture: string, region: number[] | null}} ask
 * @returns {Promise<{blob: Blob, flat: boolean}>}
 */
export async function heatMap(reference, { text, like, picture, region = null }, signal) {
  const fields = {
    side: 320,
    ...(text !== undefined && { text }),
    ...(like !== undefined && { image_id: partsOf(like).id }),
    ...(picture !== undefined && { query_image: picture }),
    ...(region && { region }),
  };
  const response = await answer(about(reference, "heat-map", fields), { signal });
  return { blob: await response.blob(), flat: response.headers.get("Heat-Map-Flat") === "true" };
}

/** What its camera wrote into the file. */
export const exif = (reference, signal) => request(about(reference, "exif"), { signal });

/** The group of duplicates that it is in, without it: `{class, images}`, or null. */
export async function duplicates(reference, signal) {
  const [group] = (await request(about(reference, "duplicates"), { signal })).groups;
  if (!group) return null;
  const images = group.images.map((image) => ({ ...image, id: referenceOf(image) }));
  return { kind: group.class, images: images.filter(({ id }) => id !== reference) };
}

/** Its tags: `{name, list, score}`; those by hand have neither list nor score. */
export const tagsOf = async (reference, signal) => (await request(about(reference, "tags"), { signal })).tags;

/** @param {{add?: string[], remove?: string[]}} said @returns {Promise<object[]>} its tags now */
export const tagByHand = async (reference, said) =>
  (await request(about(reference, "tags"), sending("POST", said))).tags;

/** @returns {Promise<number>} how many images have it */
export async function teach(name, { query, right, wrong }, collection) {
  const ids = (references) => references.map((reference) => partsOf(reference).id);
  const url = address(`/api/concepts/${encodeURIComponent(name)}`, collection);
  return (await request(url, sending("PUT", { query, right: ids(right), wrong: ids(wrong) }))).images;
}
