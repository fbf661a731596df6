// Which pictures are shown as pictures: one a cell, so that none lies over another, and the same ones while the map is moved.

const WIDTH = 60; // CSS pixels that a cell has at least; at most twice that
const NEAR = 3.5; // times zoomed in, from which on pictures are shown
const FEW = 400; // points on the screen that are shown as pictures at any zoom

/**
 * @param {Points} points @param {Camera} camera
 * @returns {{index: number, x: number, y: number, side: number}[]} positions of points, and where in pixels the middle of
 *   each picture is; the nearest to the middle of the screen first
 */
export function tilesOf(points, camera) {
  let inView = 0;
  points.within(camera.part, () => (inView += 1));
  if (camera.zoom < NEAR && inView > FEW) return [];
  const cell = 2 ** Math.ceil(Math.log2(WIDTH / camera.scale)); // in units of the map, the same for a range of zooms
  const first = new Map();
  points.within(camera.part, (index) => {
    const key = Math.floor(points.ys[index] / cell) * 0x10000 + Math.floor(points.xs[index] / cell);
    const other = first.get(key);
    if (other === undefined || rank(points.ids[index]) < rank(points.ids[other])) first.set(key, index);
  });
  const side = cell * camera.scale;
  const found = [...first].map(([key, index]) => {
    const [x, y] = camera.toScreen(((key % 0x10000) + 0.5) * cell, (Math.floor(key / 0x10000) + 0.5) * cell);
    return { index, x, y, side };
  });
  const away = ({ x, y }) => Math.hypot(x - camera.width / 2, y - camera.height / 2);
  return found.filter((tile) => isSeen(tile, camera)).sort((a, b) => away(a) - away(b));
}

/** Any order that has nothing to do with what is shown, so that no kind of picture is preferred. */
const rank = (id) => Math.imul(id, 2654435761) >>> 0;

const isSeen = ({ x, y, side }, { width, height }) =>
  x > -side / 2 && y > -side / 2 && x < width + side / 2 && y < height + side / 2;
