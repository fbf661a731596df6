// Parts of pictures: [left, top, width, height] as fractions of the upright picture.

const SMALLEST = 0.05; // of a side; less than that holds too few pixels to search with

export const WHOLE = [0, 0, 1, 1];

export const isWhole = ([, , width, height]) => width > 0.995 && height > 0.995;

const within = (value, low, high) => Math.min(Math.max(value, low), high);

/** Moved by fractions of the picture, and kept inside it. */
export function moved([left, top, width, height], across, down) {
  return [within(left + across, 0, 1 - width), within(top + down, 0, 1 - height), width, height];
}

/** With some edges moved: `left` and `right` by `across`, `top` and `bottom` by `down`. */
export function resized([left, top, width, height], edges, across, down) {
  let [right, bottom] = [left + width, top + height];
  if (edges.includes("left")) left = within(left + across, 0, right - SMALLEST);
  if (edges.includes("right")) right = within(right + across, left + SMALLEST, 1);
  if (edges.includes("top")) top = within(top + down, 0, bottom - SMALLEST);
  if (edges.includes("bottom")) bottom = within(bottom + down, top + SMALLEST, 1);
  return [left, top, right - left, bottom - top];
}

/** Spanned by two points, and never smaller than can be searched with. */
export function spanned([x, y], [otherX, otherY]) {
  const width = within(Math.abs(otherX - x), SMALLEST, 1);
  const height = within(Math.abs(otherY - y), SMALLEST, 1);
  return moved([Math.min(x, otherX), Math.min(y, otherY), width, height], 0, 0);
}

/** As addresses hold it: three digits are finer than a pixel of what is searched with. */
export function rounded(region) {
  const [left, top, width, height] = region.map((part) => Math.round(part * 1000) / 1000);
  const fit = (start, length) => Math.round(Math.min(length, 1 - start) * 1000) / 1000;
  return [left, top, fit(left, width), fit(top, height)];
}
