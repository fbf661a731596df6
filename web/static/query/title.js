// A query in words: the title of the page.

import { formatList } from "../shared/numbers.js";
import { language, say } from "../shared/say.js";

/**
 * @param {object} state as in state.js
 * @param {(reference: number | string) => string | null} nameOf the name of an indexed image, if it is known
 * @returns {string | null} null without a query
 */
export function titleOf({ text, terms }, nameOf) {
  const wanted = terms.filter(({ weight }) => weight > 0);
  const unwanted = namesOf(terms.filter(({ weight }) => weight < 0), nameOf);
  const parts = [...(text ? [say("query.quoted", { text })] : []), ...namesOf(wanted, nameOf)];
  if (!parts.length && !unwanted.length) return null;
  let title = formatList(parts);
  if (!text && wanted.length && wanted.every(({ kind }) => kind === "like")) title = say("query.like", { names: title });
  if (unwanted.length) {
    title = say(parts.length ? "query.but_not" : "query.not", { title, names: formatList(unwanted) });
  }
  return title.charAt(0).toLocaleUpperCase(language) + title.slice(1);
}

/** Pictures that came from elsewhere have no names: several are counted. */
function namesOf(terms, nameOf) {
  const yours = terms.filter(({ kind }) => kind === "picture");
  const named = (listed) => listed.map((term) => nameOfTerm(term, nameOf));
  if (yours.length < 2) return named(terms);
  const others = terms.filter(({ kind }) => kind !== "picture");
  return [say("query.your_pictures", { count: yours.length }), ...named(others)];
}

/** How a term is called. */
export function nameOfTerm({ kind, ref, region }, nameOf) {
  if (kind === "text") return say("query.quoted", { text: ref });
  const name = kind === "picture" ? say("query.your_picture") : (nameOf(ref) ?? say("query.a_picture"));
  return region ? say("query.part_of", { name }) : name;
}
