// Which names of regions are shown, and where: as many as have room, those of more pictures first.

const LEVELS = [1, 2, 5]; // zoom from which on each level is shown
const AROUND = 12; // pixels

/**
 * @param {{level: number, name: string, x: number, y: number, images: number}[]} regions @param {Camera} camera
 * @param {(text: string) => number} measure width of a text in pixels
 * @returns {{name: string, x: number, y: number, width: number}[]} their middles and widths, in pixels
 */
export function namesOf(regions, camera, measure) {
  const levels = regions.map(({ level }) => level);
  const level = Math.min(LEVELS.findLastIndex((zoom) => camera.zoom >= zoom), Math.max(...levels, 0));
  const taken = [];
  const shown = [];
  for (const { name, x, y } of regions.filter((region) => region.level === level).sort((a, b) => b.images - a.images)) {
    const [left, top] = camera.toScreen(x, y);
    const width = measure(name);
    const box = [left - width / 2 - AROUND, top - AROUND - 4, left + width / 2 + AROUND, top + AROUND + 4];
    if (box[2] < 0 || box[3] < 0 || box[0] > camera.width || box[1] > camera.height) continue;
    if (taken.some((other) => overlap(box, other))) continue;
    taken.push(box);
    shown.push({ name, x: left, y: top, width });
  }
  return shown;
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
