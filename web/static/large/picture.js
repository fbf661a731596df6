// The picture of the large view, from what is here at once to what is sharp: each layer lies over the one before and
// fills the same frame, so that nothing moves when it comes.

import { thumbnailUrl } from "../shared/api.js";

const LARGEST = 64_000_000; // pixels of an original that a phone's browser can be asked to decode
const SHOWN = new Set(["jpeg", "png", "webp", "gif", "avif", "bmp"]); // formats that every browser of today draws
const THUMBNAIL = 1280;
const ENLARGED = 1.15; // a thumbnail may be shown this much larger than it is

export class Picture {
  /**
   * @param {{frame: HTMLElement, soft: HTMLImageElement, sharp: HTMLImageElement, full: HTMLImageElement}} layers
   * @param {{onReady: () => void, onBroken: () => void}} handlers
   */
  constructor({ frame, soft, sharp, full }, { onReady, onBroken }) {
    Object.assign(this, { frame, soft, sharp, full, onReady, onBroken });
  }

  #item = null;

  show(item) {
    this.#item = item;
    fit(this.frame, item);
    this.frame.classList.remove("sharp-loaded", "full-loaded", "failed");
    this.full.removeAttribute("src");
    this.sharp.removeAttribute("src"); // or the picture before would stay until the new one has come
    this.frame.style.backgroundImage = item.preview ? `url("${item.preview}")` : "";
    this.soft.src = thumbnailUrl(item, 320);
    this.sharp.alt = item.name;
    this.#showSharp(item);
  }

  /** The file itself, once the picture is larger on the screen than its thumbnail is: `resolution` as of `Zoom`. */
  refine(resolution) {
    const item = this.#item;
    const longest = Math.max(item.width, item.height);
    const thumbnail = Math.min(THUMBNAIL / longest, 1);
    if (this.full.hasAttribute("src") || thumbnail === 1 || resolution < thumbnail * ENLARGED) return;
    if (!SHOWN.has(item.format) || item.seconds !== null || item.width * item.height > LARGEST) return;
    this.#showFull(item);
  }

  /** Have the browser fetch what another picture needs. */
  prefetch(item) {
    new Image().src = thumbnailUrl(item, THUMBNAIL);
  }

  async #showSharp(item) {
    const drawn = await loaded(this.sharp, thumbnailUrl(item, THUMBNAIL));
    if (this.#item !== item) return;
    this.frame.classList.add(drawn ? "sharp-loaded" : "failed");
    if (drawn) this.onReady();
    else this.onBroken();
  }

  /** One that does not come leaves the thumbnail. */
  async #showFull(item) {
    const drawn = await loaded(this.full, item.original_url);
    if (this.#item === item && drawn) this.frame.classList.add("full-loaded");
  }
}

/** Give a frame the shape of a picture. */
export function fit(frame, { width, height }) {
  frame.style.setProperty("--ratio", width / height);
  frame.style.setProperty("--natural", `${width}px`);
}

/** @returns {Promise<boolean>} whether it can be drawn, now and without a wait */
async function loaded(image, url) {
  image.src = url;
  try {
    await image.decode();
    return true;
  } catch {
    return false;
  }
}
