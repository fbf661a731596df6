// What is indexed: how many pictures of which formats, how large, and what the vector index was measured to find.

import { writeFacts } from "../shared/facts.js";
import { formatCount } from "../shared/messages.js";
import { words } from "./words.js";

/** @param {{figure, formats, facts: HTMLElement}} elements @param {object} stats as `/api/stats` gives it */
export function showOverview({ figure, formats, facts }, stats) {
  figure.textContent = formatCount(stats.images);
  formats.replaceChildren(
    ...Object.entries(stats.formats).map(([name, count]) => {
      const item = document.createElement("li");
      item.textContent = words.formats(name, count);
      return item;
    }),
  );
  const names = words.facts;
  writeFacts(facts, [
    [names.size, words.bytes(stats.bytes)],
    [names.index, words.index(stats.index)],
    [names.recall, recallOf(stats.index)],
    [names.precision, stats.precision],
    [names.onDisk, words.bytes(stats.bytes_on_disk)],
    [names.folder, stats.library],
    [names.roots, stats.roots.length ? words.roots(stats.roots) : null],
    [names.version, stats.version],
  ]);
}

function recallOf({ calibration }) {
  if (calibration === null) return words.exact;
  const point = calibration.curve.find(({ effort }) => effort === calibration.chosen);
  return point ? words.recall(point) : null;
}
