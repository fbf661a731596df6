// What was marked, saved by a name: every picture that fits gets it as a tag, also those that come later.

import { RequestFailed } from "../shared/api.js";
import { say } from "../shared/say.js";
import { teach } from "./requests.js";

export class ConceptForm {
  /** @param {HTMLFormElement} form @param {(name: string, images: number) => void} onSaved */
  constructor(form, onSaved) {
    Object.assign(this, { form, onSaved });
    this.input = form.querySelector("#concept-name");
    this.button = form.querySelector("button");
    this.status = form.querySelector("#concept-status");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(this.input.value.trim());
    });
  }

  #taught = null;

  /** @param {{query: string, right: (number | string)[], wrong: (number | string)[]}} taught */
  show(taught, collection) {
    const same = JSON.stringify(taught) === JSON.stringify(this.#taught);
    this.#taught = taught;
    this.collection = collection;
    this.form.hidden = !taught.right.length; // wrong ones alone do not say what it is
    if (!same) this.status.textContent = "";
  }

  async #save(name) {
    if (!name) return;
    this.button.disabled = true;
    this.status.textContent = say("large.concept_busy");
    try {
      const images = await teach(name, this.#taught, this.collection);
      this.input.value = "";
      this.status.textContent = say("large.concept_saved", { name, count: images });
      this.onSaved(name, images);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this.status.textContent = error.message;
    } finally {
      this.button.disabled = false;
    }
  }
}
