// Names for images on this page: their id, and where several collections are served, `ID@COLLECTION`, as ids are unique in
// their collection only.

/** @returns {number | string} */
export const referenceOf = ({ id, collection = null }) => (collection === null ? id : `${id}@${collection}`);

/** @param {number | string | null} reference @returns {{id: number | null, collection: string | null}} */
export function partsOf(reference) {
  if (typeof reference !== "string") return { id: reference, collection: null };
  const at = reference.indexOf("@");
  return { id: Number(reference.slice(0, at)), collection: reference.slice(at + 1) };
}

/** What an address holds, or null if that names no image. */
export function parseReference(text) {
  if (text === null || !/^\d{1,15}(@.+)?$/.test(text)) return null;
  return text.includes("@") ? text : Number(text);
}
