// Buttons for the zoom, and how large the picture is shown, in hundredths of its own pixels.

import { say } from "../shared/say.js";
import { formatLikely } from "../shared/numbers.js";

export class ZoomTools {
  /** @param {HTMLElement} element @param {() => import("./zoom.js").Zoom} zoom */
  constructor(element, zoom) {
    this.out = element.querySelector("#zoom-out");
    this.level = element.querySelector("#zoom-level");
    this.out.addEventListener("click", () => zoom().step(-1));
    this.level.addEventListener("click", () => zoom().toggle());
    element.querySelector("#zoom-in").addEventListener("click", () => zoom().step(1));
  }

  show(zoom) {
    const level = formatLikely(zoom.resolution);
    if (this.level.textContent !== level) this.level.textContent = level;
    this.level.setAttribute("aria-label", say(zoom.zoomed ? "large.zoom_fit" : "large.zoom_full", { level }));
    this.out.disabled = !zoom.zoomed;
  }
}
