// One picture of the grid: its element, what is drawn over it, and which thumbnail it takes.

import { thumbnailUrl } from "../shared/api.js";
import { formatList, formatScore } from "../shared/numbers.js";
import { say } from "../shared/say.js";

const STRETCH = 1.75; // a small thumbnail may be shown this much larger than it is; then the large one is fetched
const TEMPLATE =
  '<li class="cell"><a><img alt="" decoding="async" draggable="false"><span class="cell-caption" aria-hidden="true">' +
  '<span class="cell-name"></span><span class="cell-score"></span></span></a><input type="checkbox" class="check" tabindex="-1"></li>';

export function newCell(item) {
  const template = document.createElement("template");
  template.innerHTML = TEMPLATE;
  const cell = template.content.firstElementChild;
  const picture = cell.querySelector("img");
  if (item.preview) cell.style.setProperty("--preview", `url("${item.preview}")`);
  else cell.style.setProperty("--hue", (Number.parseInt(item.id, 10) * 47) % 360);
  cell.querySelector(".cell-name").textContent = item.name;
  cell.querySelector(".check").setAttribute("aria-label", say("results.select", { name: item.name }));
  picture.alt = item.name;
  picture.addEventListener("load", () => cell.classList.add("loaded"));
  picture.addEventListener("error", () => {
    if (!picture.hasAttribute("src")) return;
    cell.classList.add("broken");
    cell.title = say("results.preview_failed");
  });
  return cell;
}

/** Off the page: a download that nobody waits for any more ends. */
export function dropCell(cell) {
  cell.querySelector("img").removeAttribute("src");
  cell.remove();
}

/** @param {{x: number, y: number, width: number, height: number}} box */
export function placeCell(cell, item, { x, y, width, height }) {
  cell.style.insetInlineStart = `${x}px`;
  cell.style.insetBlockStart = `${y}px`;
  cell.style.inlineSize = `${width}px`;
  cell.style.blockSize = `${height}px`;
  const picture = cell.querySelector("img");
  const side = Math.max(width, height) * devicePixelRatio > 320 * STRETCH ? 1280 : 320;
  if (side <= Number(picture.dataset.side ?? 0)) return; // what is there is good enough
  picture.dataset.side = side;
  picture.src = thumbnailUrl(item, side);
}

/** What may change while the picture stays. */
export function describeCell(cell, item, { position, total, address, reachable, unlikely, selected, mark }) {
  const link = cell.firstElementChild;
  link.tabIndex = reachable ? 0 : -1;
  link.href = address;
  cell.dataset.position = position;
  cell.setAttribute("aria-posinset", position + 1);
  cell.setAttribute("aria-setsize", total);
  cell.classList.toggle("unlikely", unlikely);
  cell.classList.toggle("selected", selected);
  cell.classList.toggle("right", mark === "right");
  cell.classList.toggle("wrong", mark === "wrong");
  cell.querySelector(".check").checked = selected;
  cell.querySelector(".cell-score").textContent = item.score == null ? "" : formatScore(item.score);
  describeDuplicates(cell, item);
  describeWords(cell, item);
}

/** Where words of the search were found that are known of it. */
function describeWords(cell, { words = [] }) {
  const places = [...new Set(words.map(({ field }) => say(`large.in_${field}`)))];
  let line = cell.querySelector(".cell-words");
  if (places.length && !line) {
    line = document.createElement("span");
    line.className = "cell-words";
    cell.querySelector(".cell-caption").prepend(line);
  }
  if (line) line.textContent = say("results.found_in", { places: formatList(places) });
}

/** "+3": a button, as the other files can be looked at. */
function describeDuplicates(cell, { name, duplicates = 0 }) {
  let badge = cell.querySelector(".stack");
  if (!duplicates) {
    badge?.remove();
    return;
  }
  if (!badge) {
    badge = document.createElement("button");
    badge.type = "button";
    badge.className = "stack";
    badge.tabIndex = -1;
    cell.append(badge);
  }
  badge.textContent = say("results.more_of_it", { number: duplicates });
  badge.setAttribute("aria-label", say("results.show_duplicates", { count: duplicates, name }));
}
