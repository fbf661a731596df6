// The picture that was picked on the map: what it is, and where one can go from it.

import { format } from "../query/state.js";

export class Card {
  /** @param {HTMLElement} element @param {() => void} onClose */
  constructor(element, onClose) {
    this.element = element;
    element.querySelector("#card-close").addEventListener("click", onClose);
  }

  /** @param {object} image as the API gives it @param {string} thumbnail address */
  show(image, thumbnail, reference) {
    const picture = this.#part("card-picture");
    picture.src = thumbnail;
    picture.alt = image.name;
    this.#part("card-name").textContent = image.name;
    this.#part("card-open").href = format({ open: reference });
    this.#part("card-like").href = format({ terms: [{ kind: "like", ref: reference, weight: 1, region: null }] });
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
  }

  #part(id) {
    return this.element.querySelector(`#${id}`);
  }
}
