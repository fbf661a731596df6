// The duplicates of the picture in the large view, to be looked at.

import { thumbnailUrl } from "../shared/api.js";
import { formatBytes } from "../shared/numbers.js";
import { say } from "../shared/say.js";

export class Duplicates {
  /** @param {HTMLElement} section @param {(image: object) => void} onOpen */
  constructor(section, onOpen) {
    Object.assign(this, { section, onOpen });
    this.list = section.querySelector("#duplicates");
    this.kind = section.querySelector("#duplicates-kind");
  }

  /** @param {{kind: string, images: object[]} | null} group */
  show(group) {
    this.section.hidden = !group?.images.length;
    this.kind.textContent = group ? say(`large.kind_${group.kind}`) : "";
    this.list.replaceChildren(...(group?.images ?? []).map((image) => this.#tile(image)));
  }

  #tile(image) {
    const tile = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "twin";
    button.title = image.path;
    const picture = document.createElement("img");
    picture.src = thumbnailUrl(image, 320);
    picture.alt = image.name;
    picture.loading = "lazy";
    const caption = document.createElement("span");
    const size = say("large.twin_size", { width: String(image.width), height: String(image.height) });
    caption.textContent = `${size} · ${formatBytes(image.size)}`;
    button.append(picture, caption);
    button.addEventListener("click", () => this.onOpen(image));
    tile.append(button);
    return tile;
  }
}
