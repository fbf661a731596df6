// Justified rows: pictures of any shape, in order, cut to a common height in each row so that rows fill the width.

const RATIOS = { min: 0.5, max: 2.6 }; // wider or taller pictures are cropped, so that none becomes a sliver

/** Row height to aim for at a given width: two or three pictures a row on a phone, five or six on a desk. */
export function rowHeight(width) {
  if (width < 520) return 132;
  if (width < 1000) return 184;
  return width < 1900 ? 224 : 264;
}

/**
 * @param {{width: number, height: number}[]} pictures
 * @param {number} width of the grid in pixels
 * @param {{gap: number, complete: boolean}} options `complete`: no more pictures follow. Until then the row being
 *   filled is held back, so that nothing on the page ever moves when more arrive.
 * @returns {{rows: {start: number, end: number, y: number, height: number}[], boxes: {x: number, width: number}[],
 *   height: number}} rows hold pictures `start` (inclusive) to `end` (exclusive)
 */
export function justify(pictures, width, { gap, complete }) {
  const target = rowHeight(width);
  const ratios = pictures.map(ratio);
  const rows = [];
  const boxes = [];
  let y = 0;
  let start = 0;
  while (start < ratios.length) {
    const row = nextRow(ratios, start, width, target, gap);
    if (!row.full && !complete && rows.length) break;
    placeRow(boxes, ratios, start, row, width, gap);
    rows.push({ start, end: row.end, y, height: row.height });
    y += row.height + gap;
    start = row.end;
  }
  return { rows, boxes, height: Math.max(y - gap, 0) };
}

function ratio({ width, height }) {
  const value = width > 0 && height > 0 ? width / height : 1;
  return Math.min(Math.max(value, RATIOS.min), RATIOS.max);
}

/** The row from `start` whose height comes closest to the target; not `full` when the pictures run out first. */
function nextRow(ratios, start, width, target, gap) {
  let sum = 0;
  let before = Infinity; // the row's height without the picture in hand
  for (let end = start; end < ratios.length; end += 1) {
    sum += ratios[end];
    const height = (width - gap * (end - start)) / sum;
    if (height <= target) {
      const takeIt = target - height <= before - target;
      return takeIt ? { end: end + 1, height, full: true } : { end, height: before, full: true };
    }
    before = height;
  }
  return { end: ratios.length, height: Math.min(before, target), full: false };
}

function placeRow(boxes, ratios, start, { end, height }, width, gap) {
  let x = 0;
  for (let index = start; index < end; index += 1) {
    const boxWidth = Math.min(ratios[index] * height, width);
    boxes.push({ x, width: boxWidth });
    x += boxWidth + gap;
  }
}
