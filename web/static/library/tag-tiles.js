// The tags with some of their pictures: asked for when a tile comes into view, so that a thousand tags cost what is seen.

import { thumbnailUrl } from "../shared/api.js";
import { say } from "../shared/say.js";
import { drawRows, write } from "./rows.js";

const EXAMPLES = 4;
const A_PAGE = 60;

export class TagTiles {
  #tags = [];
  #most = A_PAGE;
  #examples = new Map(); // by tag: a promise of its images

  /**
   * @param {{list, template, count, find, more: HTMLElement}} elements
   * @param {{addressOf: (tag: string) => string, fetchExamples: (tag: string, most: number) => Promise<object[]>}} how
   */
  constructor(elements, { addressOf, fetchExamples }) {
    Object.assign(this, { elements, addressOf, fetchExamples });
    this.seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });
    elements.find.addEventListener("input", () => {
      this.#most = A_PAGE;
      this.#draw();
    });
    elements.more.addEventListener("click", () => {
      this.#most += A_PAGE;
      this.#draw();
    });
  }

  /** @param {{name: string, images: number}[]} tags those with the most images first */
  show(tags) {
    this.#tags = tags;
    this.#examples.clear();
    this.#draw();
  }

  #draw() {
    const { list, template, count, find, more } = this.elements;
    const text = find.value.trim().toLowerCase();
    const found = this.#tags.filter(({ name }) => name.includes(text));
    const shown = found.slice(0, this.#most);
    drawRows(list, shown, { key: ({ name }) => name, template, update: (tile, tag) => this.#update(tile, tag) });
    more.hidden = found.length === shown.length;
    find.hidden = this.#tags.length === 0;
    if (text && !found.length) write(count, say("tags.not_found", { text: find.value.trim() }));
    else write(count, found.length ? say("tags.count", { count: found.length }) : "");
  }

  #update(tile, { name, images }) {
    tile.querySelector("a").href = this.addressOf(name);
    write(tile.querySelector(".tag-name"), name);
    write(tile.querySelector(".count"), say("tags.pictures", { count: images }));
    if (tile.dataset.images === String(images)) return;
    tile.dataset.images = images;
    this.seen.unobserve(tile);
    this.seen.observe(tile);
  }

  #look(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.seen.unobserve(target);
      this.#fill(target, target.dataset.key);
    }
  }

  async #fill(tile, tag) {
    if (!this.#examples.has(tag)) this.#examples.set(tag, this.fetchExamples(tag, EXAMPLES));
    const images = await this.#examples.get(tag);
    tile.querySelector(".strip").replaceChildren(...images.map(pictureOf));
  }
}

function pictureOf(image) {
  const picture = document.createElement("img");
  Object.assign(picture, { src: thumbnailUrl(image, 320), alt: "", decoding: "async" });
  return picture;
}
