// What the page shows, as its address says it: `/?q=words&picture=HASH&like=IMAGE&in=COLLECTION#image=IMAGE`.
//
// text        words to search by, or ""
// picture     the hash the server gave to an uploaded picture, or null
// like        an indexed image to search by, as in reference.js, or null
// collection  the only one to search, or null for all that are served
// open        the image in the large view, or null

import { parseReference } from "../shared/reference.js";

/** @param {string | URL | Location} address */
export function parse(address) {
  const { searchParams, hash } = new URL(address);
  const picture = searchParams.get("picture") || null;
  return {
    text: (searchParams.get("q") ?? "").trim(),
    picture,
    like: picture ? null : parseReference(searchParams.get("like")),
    collection: searchParams.get("in") || null,
    open: parseReference(new URLSearchParams(hash.slice(1)).get("image")),
  };
}

export function format({ text, picture, like, collection = null, open = null }) {
  const query = new URLSearchParams();
  if (text) query.set("q", text);
  if (picture) query.set("picture", picture);
  else if (like !== null) query.set("like", like);
  if (collection !== null) query.set("in", collection);
  const search = query.size ? `?${query}` : "";
  return `/${search}${open === null ? "" : `#${new URLSearchParams({ image: open })}`}`;
}

/** The same for two states that show the same pictures. */
export const queryKey = (state) => format({ ...state, open: null });

export const hasQuery = ({ text, picture, like }) => Boolean(text || picture || like !== null);
