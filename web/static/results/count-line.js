// What is said of the results as a whole.

import { formatSeconds } from "../shared/numbers.js";
import { say } from "../shared/say.js";

/**
 * @param {Results} results
 * @param {number | null} images how many the collection holds, for when nothing was searched
 */
export function countLine({ images: searched, seconds, joined, matches, noMatch }, images) {
  if (searched === null) return images ? say("common.pictures", { count: images }) : "";
  const parts = [say("results.searched", { count: searched, time: formatSeconds(seconds) })];
  if (joined === "rank") parts[0] += `, ${say("results.by_turns")}`;
  if (matches) parts.unshift(noMatch ? say("results.no_match") : say("results.about", { count: matches.about }));
  return parts.join(" · ");
}

/** Which collections did not answer, and why. */
export const leftOut = (collections) =>
  say("results.left_out", {
    collections: collections.map(({ collection, reason }) => `${collection} (${reason})`).join(", "),
  });
