// What the page shows, as its address says it: `/?q=words&picture=HASH&like=ID#image=ID`.
//
// text     words to search by, or ""
// picture  the hash the server gave to an uploaded picture, or null
// like     id of an indexed image to search by, or null
// open     id of the image in the large view, or null

/** @param {string | URL | Location} address */
export function parse(address) {
  const { searchParams, hash } = new URL(address);
  const picture = searchParams.get("picture") || null;
  return {
    text: (searchParams.get("q") ?? "").trim(),
    picture,
    like: picture ? null : identifier(searchParams.get("like")),
    open: identifier(new URLSearchParams(hash.slice(1)).get("image")),
  };
}

export function format({ text, picture, like, open = null }) {
  const query = new URLSearchParams();
  if (text) query.set("q", text);
  if (picture) query.set("picture", picture);
  else if (like !== null) query.set("like", like);
  const search = query.size ? `?${query}` : "";
  return `/${search}${open === null ? "" : `#image=${open}`}`;
}

/** The same for two states that show the same pictures. */
export const queryKey = (state) => format({ ...state, open: null });

export const hasQuery = ({ text, picture, like }) => Boolean(text || picture || like !== null);

function identifier(value) {
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
