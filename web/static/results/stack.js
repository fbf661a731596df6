// The files behind one picture of the results: its duplicates, looked at together.

import * as api from "../shared/api.js";
import { formatBytes, formatDimensions } from "../shared/numbers.js";
import { say } from "../shared/say.js";

export class Stack {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {{onOpen: (item: object) => void, onProblem: (error: Error) => void}} handlers
   */
  constructor(dialog, { onOpen, onProblem }) {
    Object.assign(this, { dialog, onOpen, onProblem });
    this.list = dialog.querySelector("ul");
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** @param {object} item a hit that stands for others */
  async show(item) {
    try {
      const images = await api.duplicatesOf(item.id);
      this.dialog.querySelector("h2").textContent = say("results.files_of", { count: images.length, name: item.name });
      this.list.replaceChildren(...images.map((image) => this.#row(image)));
      this.dialog.showModal();
    } catch (error) {
      this.onProblem(error);
    }
  }

  #row(image) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    const picture = document.createElement("img");
    const path = document.createElement("span");
    const facts = document.createElement("small");
    button.type = "button";
    picture.alt = "";
    picture.src = api.thumbnailUrl(image, 320);
    path.textContent = image.path;
    facts.textContent = [formatDimensions(image.width, image.height), formatBytes(image.size), image.format.toUpperCase()].join(" · ");
    button.append(picture, path, facts);
    button.addEventListener("click", () => {
      this.dialog.close();
      this.onOpen(image);
    });
    row.append(button);
    return row;
  }
}
