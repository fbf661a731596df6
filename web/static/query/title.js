// A query in words: the title of the page.

import { formatList } from "../shared/numbers.js";
import { say } from "../shared/say.js";

/**
 * @param {object} state as in state.js
 * @param {(reference: number | string) => string | null} nameOf the name of an indexed image, if it is known
 * @returns {string | null} null without a query
 */
export function titleOf({ text, terms }, nameOf) {
  const named = (term) => nameOfTerm(term, nameOf);
  const wanted = terms.filter(({ weight }) => weight > 0);
  const unwanted = terms.filter(({ weight }) => weight < 0).map(named);
  const parts = [...(text ? [say("query.quoted", { text })] : []), ...wanted.map(named)];
  if (!parts.length && !unwanted.length) return null;
  let title = formatList(parts);
  if (!text && wanted.length && wanted.every(({ kind }) => kind === "like")) title = say("query.like", { names: title });
  if (!unwanted.length) return title;
  return say(parts.length ? "query.but_not" : "query.not", { title, names: formatList(unwanted) });
}

/** How a term is called. */
export function nameOfTerm({ kind, ref, region }, nameOf) {
  if (kind === "text") return say("query.quoted", { text: ref });
  const name = kind === "picture" ? say("query.your_picture") : (nameOf(ref) ?? say("query.a_picture"));
  return region ? say("query.part_of", { name }) : name;
}
