// What the page shows, as its address says it: `/?q=words&picture=HASH&like=IMAGE*0.5*0_0_0.5_1&also=words*-0.5#image=IMAGE`.
//
// text        what stands in the search box, filters and all, or ""
// terms       what else is searched by, in order: `{kind, ref, weight, region}`
//               kind    "picture": `ref` is the hash the server gave to an uploaded picture
//                       "like": `ref` is an indexed image, as in reference.js
//                       "text": `ref` is words
//               weight  -1 to 1, never 0; below 0 is not to be seen
//               region  the part of a picture that is meant: [left, top, width, height] as fractions; null is all of it
// sort        "newest", "oldest", "name", "rating", or null for the usual order
// collapse    whether each group of duplicates is shown once
// right, wrong  images marked as such, as in reference.js
// collection  the only one to search, or null for all that are served
// open        the image in the large view, or null

import { parseReference } from "../shared/reference.js";

const SORTS = ["newest", "oldest", "name", "rating"];
const HASH = /^[0-9a-f]{64}$/;
const MAX_TERMS = 32; // as the server takes them; one is left for the box

export const START = {
  text: "",
  terms: [],
  sort: null,
  collapse: false,
  right: [],
  wrong: [],
  collection: null,
  open: null,
};

/** @param {string | URL | Location} address */
export function parse(address) {
  const { searchParams, hash } = new URL(address);
  const references = (name) => searchParams.getAll(name).map(parseReference).filter((found) => found !== null);
  const sort = searchParams.get("sort");
  return {
    text: (searchParams.get("q") ?? "").trim(),
    terms: [...searchParams].map(parseTerm).filter(Boolean).slice(0, MAX_TERMS - 1),
    sort: SORTS.includes(sort) ? sort : null,
    collapse: searchParams.get("collapse") === "1",
    right: references("right"),
    wrong: references("wrong"),
    collection: searchParams.get("in") || null,
    open: parseReference(new URLSearchParams(hash.slice(1)).get("image")),
  };
}

/** @param {Partial<typeof START>} state what is left out is as at the start */
export function format(state) {
  const { text, terms, sort, collapse, right, wrong, collection, open } = { ...START, ...state };
  const query = new URLSearchParams();
  if (text) query.set("q", text);
  for (const term of terms) query.append(term.kind === "text" ? "also" : term.kind, writtenTerm(term));
  if (sort) query.set("sort", sort);
  if (collapse) query.set("collapse", "1");
  for (const reference of right) query.append("right", reference);
  for (const reference of wrong) query.append("wrong", reference);
  if (collection !== null) query.set("in", collection);
  const search = query.size ? `?${query}` : "";
  return `/${search}${open === null ? "" : `#${new URLSearchParams({ image: open })}`}`;
}

/** The same for two states that show the same pictures. */
export const queryKey = (state) => format({ ...state, open: null });

export const hasQuery = ({ text, terms }) => Boolean(text || terms.length);

/** A term in full: `weight` is 1 and `region` null unless they are given. */
const termOf = ({ kind, ref, weight = 1, region = null }) => ({ kind, ref, weight, region });

/** What tells one term from another: a part of a picture is another term than the picture. */
export const termKey = ({ kind, ref, region }) => `${kind}:${ref}:${region ?? ""}`;

/** The terms with one more, or with another weight for one that is there. */
export function withTerm(terms, added) {
  const term = termOf(added);
  const at = terms.findIndex((other) => termKey(other) === termKey(term));
  return at < 0 ? [...terms, term].slice(0, MAX_TERMS - 1) : terms.with(at, term);
}

/** The terms with one of them about another part of its picture. */
export function withRegion(terms, term, region) {
  const cut = { ...term, region };
  const others = terms.filter((other) => termKey(other) !== termKey(cut));
  return others.map((other) => (termKey(other) === termKey(term) ? cut : other));
}

function writtenTerm({ kind, ref, weight, region }) {
  if (kind === "text") return `${ref}*${weight}`; // always, as words may end like a weight
  const parts = [ref, ...(weight !== 1 || region ? [weight] : []), ...(region ? [region.join("_")] : [])];
  return parts.join("*");
}

/** A term of the query string, or null for all that is none. */
function parseTerm([name, value]) {
  if (name === "also") {
    const [, text, weight] = /^(.*\S.*)\*([-.\d]+)$/s.exec(value) ?? [null, value.trim(), "1"];
    return text && valid({ kind: "text", ref: text, weight: Number(weight), region: null });
  }
  if (name !== "picture" && name !== "like") return null;
  const [written, weight = "1", region] = value.split("*");
  const ref = name === "like" ? parseReference(written) : HASH.test(written) ? written : null;
  if (ref === null) return null;
  return valid({ kind: name, ref, weight: Number(weight), region: region ? region.split("_").map(Number) : null });
}

function valid(term) {
  const { weight, region } = term;
  const within = weight >= -1 && weight <= 1 && weight !== 0;
  const inside = !region || (region.length === 4 && region.every((part) => part >= 0 && part <= 1));
  return within && inside ? term : null;
}
