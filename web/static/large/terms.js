// What a hit's score is made of: the terms of a search, in the order of the hit's `shares`.

import { say } from "../shared/say.js";

/**
 * @typedef {{label: string, thumbnail: string | null, unwanted: boolean, ask: object | null}} Part
 *   `ask` is what a heat map of it is asked with: `{text}`, or `{image_id | query_image, region}`; marks have none
 *
 * @param {object} state as in state.js
 * @param {{meaning: string | null, chips: object[]}} read what the server read in the box
 * @returns {Part[]}
 */
export function partsOfScore({ terms, right, wrong }, { meaning, chips }) {
  const words = (text, weight) => ({ kind: "text", ref: text, weight, region: null });
  const box = [
    ...(meaning ? [words(meaning, 1)] : []),
    ...chips.filter(({ excluded }) => excluded).map(({ excluded }) => words(excluded, -1)),
  ];
  const marks = right.length + wrong.length;
  return [...box, ...terms].map(partOf).concat(marks ? [markPart(marks)] : []);
}

function partOf({ kind, ref, weight, region }) {
  return { kind, ref, label: labelOf(kind, ref, region), unwanted: weight < 0, ask: askOf(kind, ref, region) };
}

function labelOf(kind, ref, region) {
  if (kind === "text") return say("large.words", { words: ref });
  if (region) return say("large.part_of_picture");
  return say(kind === "like" ? "large.like_picture" : "large.own_picture");
}

function askOf(kind, ref, region) {
  return kind === "text" ? { text: ref } : { [kind]: ref, region };
}

const markPart = (count) => ({ kind: "marks", ref: null, label: say("large.marks", { count }), unwanted: false, ask: null });
