// Justified rows: pictures of any shape, in order, cut to a common height in each row so that rows fill the width.
//
// Each page of pictures is laid out by itself and ends with a full row. So a page in the middle of a long list can be
// shown, or change its width, without looking at those before it.

const RATIOS = { min: 0.5, max: 2.6 }; // wider or taller pictures are cropped, so that none becomes a sliver
const TALL = { last: 1.5, other: 2.6 }; // rows that would be this much taller than asked are left ragged instead

/** Row height to aim for at a given width: two or three pictures a row on a phone, five or six on a desk. */
export function rowHeight(width) {
  if (width < 520) return 132;
  if (width < 1000) return 184;
  if (width < 1900) return 224;
  return width < 2900 ? 264 : 340;
}

/**
 * @param {{width: number, height: number}[]} pictures
 * @param {number} width of the grid in pixels
 * @param {{gap: number, ragged: boolean}} options `ragged`: the last row may end before the edge, as nothing follows
 * @returns {{rows: {start: number, end: number, y: number, height: number}[], boxes: {x: number, width: number}[],
 *   height: number}} rows hold pictures `start` (inclusive) to `end` (exclusive)
 */
export function justify(pictures, width, { gap, ragged }) {
  const ratios = pictures.map(ratio);
  const rows = [];
  const boxes = [];
  let y = 0;
  for (const { start, end, height } of bestRows(ratios, width, gap, ragged)) {
    placeRow(boxes, ratios, { start, end, height }, width, gap);
    rows.push({ start, end, y, height });
    y += height + gap;
  }
  return { rows, boxes, height: Math.max(y - gap, 0) };
}

function ratio({ width, height }) {
  const value = width > 0 && height > 0 ? width / height : 1;
  return Math.min(Math.max(value, RATIOS.min), RATIOS.max);
}

/**
 * Where to break, so that all rows together are nearest to the height asked for (Knuth and Plass, 1981, for pictures):
 * `best[end]` is the cheapest way to have the first `end` pictures in full rows.
 */
function bestRows(ratios, width, gap, ragged) {
  const target = rowHeight(width);
  const best = [{ cost: 0 }];
  for (let end = 1; end <= ratios.length; end += 1) {
    best[end] = { cost: Infinity };
    for (let start = end - 1, sum = 0; start >= 0; start -= 1) {
      sum += ratios[start];
      const row = rowOf(sum, end - start, { target, width, gap, ragged: ragged && end === ratios.length });
      const cost = best[start].cost + row.cost;
      if (cost < best[end].cost) best[end] = { cost, start, end, height: row.height };
      if (row.height < target / 2) break; // with more pictures it only becomes lower
    }
  }
  const rows = [];
  for (let end = ratios.length; end > 0; end = best[end].start) rows.unshift(best[end]);
  return rows;
}

/** The height of a row that fills the width, and how far that is from what was asked for. */
function rowOf(sum, count, { target, width, gap, ragged }) {
  const height = (width - gap * (count - 1)) / sum;
  if (height > target * (ragged ? TALL.last : TALL.other)) return { height: target, cost: ragged ? 0.15 : 4 };
  const off = height > 0 ? Math.log(height / target) : Infinity;
  return { height, cost: off * off };
}

function placeRow(boxes, ratios, { start, end, height }, width, gap) {
  let x = 0;
  for (let index = start; index < end; index += 1) {
    const boxWidth = Math.min(ratios[index] * height, width);
    boxes.push({ x, width: boxWidth });
    x += boxWidth + gap;
  }
}
