// Where a key leads from a picture of the grid.

import { PAGE } from "./results.js";

/**
 * @param {string} key as events name it
 * @param {number} active position of the picture that has the keyboard
 * @param {{results: object, rowsOf: (page: number) => object | undefined, rightToLeft: boolean}} grid `rowsOf` gives the
 *   layout of a page that is here
 * @returns {number | null} a position; null for keys that lead nowhere
 */
export function destination(key, active, { results, rowsOf, rightToLeft }) {
  const forward = rightToLeft ? -1 : 1;
  switch (key) {
    case "ArrowRight":
      return aside(active, forward, results);
    case "ArrowLeft":
      return aside(active, -forward, results);
    case "ArrowDown":
      return across(active, 1, rowsOf);
    case "ArrowUp":
      return across(active, -1, rowsOf);
    case "Home":
      return 0;
    case "End":
      return results.complete ? results.total - 1 : results.total - PAGE - 1; // so far as it goes
    default:
      return null;
  }
}

/** The next position with a picture, or the next page that is not here yet. */
function aside(active, step, results) {
  let position = active + step;
  const here = () => results.page(Math.floor(position / PAGE));
  while (position >= 0 && position < results.total && here() && !results.item(position)) position += step;
  return position >= 0 && position < results.total ? position : active;
}

/** The picture of the next or previous row whose middle is nearest. */
function across(active, step, rowsOf) {
  const page = Math.floor(active / PAGE);
  const { rows, boxes } = rowsOf(page);
  const at = rows.findIndex(({ end }) => active % PAGE < end);
  const { x, width } = boxes[active % PAGE];
  if (rows[at + step]) return page * PAGE + nearest(boxes, rows[at + step], x + width / 2);
  const beyond = page + step < 0 ? null : rowsOf(page + step);
  if (!beyond) return Math.max(step > 0 ? (page + 1) * PAGE : page ? page * PAGE - 1 : active, 0);
  return (page + step) * PAGE + nearest(beyond.boxes, beyond.rows.at(step > 0 ? 0 : -1), x + width / 2);
}

function nearest(boxes, { start, end }, middle) {
  let best = start;
  for (let index = start; index < end; index += 1) {
    const distance = (at) => Math.abs(boxes[at].x + boxes[at].width / 2 - middle);
    if (distance(index) < distance(best)) best = index;
  }
  return best;
}
