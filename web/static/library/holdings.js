// What is indexed: how many pictures of which formats, how large, and what the vector index was measured to find.

import { writeFacts } from "../shared/facts.js";
import { formatBytes, formatCount } from "../shared/numbers.js";
import { say } from "../shared/say.js";
import { formatPercent } from "./job-words.js";

/** @param {{figure, formats, facts: HTMLElement}} elements @param {object} stats as `/api/stats` gives it */
export function showHoldings({ figure, formats, facts }, stats) {
  figure.textContent = formatCount(stats.images);
  formats.replaceChildren(
    ...Object.entries(stats.formats).map(([name, count]) => {
      const item = document.createElement("li");
      item.textContent = say("library.holdings.format", { name: name.toUpperCase(), count });
      return item;
    }),
  );
  writeFacts(facts, [
    [say("library.holdings.size"), formatBytes(stats.bytes)],
    [say("library.holdings.index"), indexOf(stats.index)],
    [say("library.holdings.recall"), recallOf(stats.index)],
    [say("library.holdings.precision"), stats.precision],
    [say("library.holdings.on_disk"), formatBytes(stats.bytes_on_disk)],
    [say("library.holdings.folder"), stats.library],
    [say("library.holdings.version"), stats.version],
  ]);
}

function indexOf({ kind, tail, folding }) {
  const parts = [kind, tail && say("library.holdings.tail", { count: tail }), folding && say("library.holdings.folding")];
  return parts.filter(Boolean).join(", ");
}

function recallOf({ calibration }) {
  if (calibration === null) return say("library.holdings.exact");
  const point = calibration.curve.find(({ effort }) => effort === calibration.chosen);
  if (!point) return null;
  const [images, texts] = [point.recall10_images, point.recall10_texts].map((share) => share !== null && formatPercent(share));
  return texts === false ? images : say("library.holdings.recall_both", { images, texts });
}
