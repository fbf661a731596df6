// Draws the map: points as pixels, pictures and names over them.

import { namesOf } from "./names.js";
import { tilesOf } from "./tiles.js";

const HUES = [195, 30, 260, 130, 330, 75, 295, 160]; // of the large regions, told apart by their names as well
const GAP = 6; // pixels between pictures
const REACH = 12; // pixels around a point that mean it
const FONT = "600 15px system-ui, sans-serif";

export class Drawing {
  /** @param {HTMLCanvasElement} canvas @param {Camera} camera @param {Thumbnails} thumbnails */
  constructor(canvas, camera, thumbnails) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.camera = camera;
    this.thumbnails = thumbnails;
    this.tiles = [];
    this.lit = null; // positions of the points that a search found, or null
    this.chosen = -1; // position of the point that is looked at
  }

  #frame = 0;
  #points = null;
  #regions = [];
  #kinds; // of each point the large region it lies in
  #colours = null;
  #pixels = null;

  /** @param {Points} points @param {object[]} regions */
  show(points, regions) {
    this.#points = points;
    this.#regions = regions;
    const large = regions.filter(({ level }) => level === 0);
    this.#kinds = Uint8Array.from({ length: points.count }, (_, i) => nearest(large, points.xs[i], points.ys[i]));
    this.restyle();
  }

  /** The theme is another one. */
  restyle() {
    const style = getComputedStyle(this.canvas);
    const lightness = style.getPropertyValue("--point-lightness");
    this.#colours = {
      ground: bytesOf(style.backgroundColor),
      dots: HUES.map((hue) => bytesOf(`oklch(${lightness} 0.09 ${hue})`)),
      dim: bytesOf(style.borderTopColor),
      lit: bytesOf(style.accentColor),
      ink: style.color,
      paper: style.backgroundColor,
      accent: style.accentColor,
    };
    this.draw();
  }

  /** At the next frame, once. */
  draw() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#points) this.#drawNow();
    });
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    this.camera.resize(clientWidth, clientHeight);
    this.canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#pixels = null;
    this.draw();
  }

  /** The position of the picture or point at a place in pixels, or the nearest point that is no farther; or -1. */
  at(left, top, reach = REACH) {
    const tile = this.tiles.find(({ x, y, side }) => Math.max(Math.abs(left - x), Math.abs(top - y)) < (side - GAP) / 2);
    if (tile) return tile.index;
    return this.#points?.nearest(...this.camera.toMap(left, top), reach / this.camera.scale) ?? -1;
  }

  #drawNow() {
    if (!this.canvas.width || !this.canvas.height) return;
    this.#drawPoints();
    const { context } = this;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.tiles = tilesOf(this.#points, this.camera);
    this.thumbnails.want(this.tiles.map(({ index }) => this.#points.ids[index]));
    for (const tile of this.tiles) this.#drawPicture(tile);
    this.#drawNames();
    if (this.chosen >= 0) this.#drawRing();
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  /** Straight into pixels: fifty thousand points take a millisecond or two. */
  #drawPoints() {
    const { width, height } = this.canvas;
    this.#pixels ??= this.context.createImageData(width, height);
    const pixels = new Uint32Array(this.#pixels.data.buffer);
    pixels.fill(this.#colours.ground);
    const ratio = devicePixelRatio;
    const side = Math.max(2, Math.round(ratio * Math.min(1.5 + Math.log2(this.camera.zoom), 5)));
    this.#points.within(this.camera.part, (index) => {
      const colour = this.lit ? this.#colours.dim : this.#colours.dots[this.#kinds[index]];
      this.#dot(pixels, index, side, colour);
    });
    for (const index of this.lit ?? []) this.#dot(pixels, index, side + Math.round(3 * ratio), this.#colours.lit);
    this.context.putImageData(this.#pixels, 0, 0);
  }

  #dot(pixels, index, side, colour) {
    const { width, height } = this.canvas;
    const [x, y] = this.camera.toScreen(this.#points.xs[index], this.#points.ys[index]);
    const left = Math.round(x * devicePixelRatio - side / 2);
    const top = Math.round(y * devicePixelRatio - side / 2);
    if (left < 0 || top < 0 || left + side > width || top + side > height) return;
    for (let row = top; row < top + side; row += 1) pixels.fill(colour, row * width + left, row * width + left + side);
  }

  #drawPicture({ index, x, y, side }) {
    const picture = this.thumbnails.get(this.#points.ids[index]);
    if (!picture) return;
    const { context } = this;
    const most = side - GAP;
    const ratio = picture.naturalWidth / picture.naturalHeight;
    const [width, height] = ratio > 1 ? [most, most / ratio] : [most * ratio, most];
    context.globalAlpha = this.lit && !this.lit.has(index) ? 0.25 : 1;
    context.drawImage(picture, x - width / 2, y - height / 2, width, height);
    context.globalAlpha = 1;
  }

  #drawNames() {
    const { context } = this;
    context.font = FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { name, x, y, width } of namesOf(this.#regions, this.camera, (text) => context.measureText(text).width)) {
      context.globalAlpha = 0.88;
      context.fillStyle = this.#colours.paper;
      context.beginPath();
      context.roundRect(x - width / 2 - 9, y - 13, width + 18, 26, 13);
      context.fill();
      context.globalAlpha = 1;
      context.fillStyle = this.#colours.ink;
      context.fillText(name, x, y + 1);
    }
  }

  #drawRing() {
    const tile = this.tiles.find(({ index }) => index === this.chosen);
    const [x, y] = tile
      ? [tile.x, tile.y]
      : this.camera.toScreen(this.#points.xs[this.chosen], this.#points.ys[this.chosen]);
    const { context } = this;
    context.strokeStyle = this.#colours.accent;
    context.lineWidth = 3;
    context.beginPath();
    if (tile) context.roundRect(x - tile.side / 2 + 1, y - tile.side / 2 + 1, tile.side - 2, tile.side - 2, 6);
    else context.arc(x, y, 9, 0, 2 * Math.PI);
    context.stroke();
  }
}

function nearest(regions, x, y) {
  let [found, least] = [0, Infinity];
  regions.forEach((region, index) => {
    const away = (region.x - x) ** 2 + (region.y - y) ** 2;
    if (away < least) [found, least] = [index % HUES.length, away];
  });
  return found;
}

/** A colour as the pixels of a canvas have it: four bytes, red first. */
function bytesOf(colour) {
  const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return new Uint32Array(probe.getImageData(0, 0, 1, 1).data.buffer)[0];
}
