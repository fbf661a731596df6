// A picture of the query, large, to choose the part of it that is meant.

import { Cropper } from "./cropper.js";
import { isWhole } from "./region.js";

export class CropDialog {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.picture = dialog.querySelector("img");
    this.cropper = new Cropper(dialog.querySelector(".crop-stage"));
    dialog.addEventListener("close", () => this.cropper.close());
  }

  #turn = 0;

  /** @returns {Promise<number[] | null | undefined>} the region, null for the whole picture, undefined when cancelled */
  async choose(url, region) {
    const turn = (this.#turn += 1);
    this.dialog.showModal();
    await loaded(this.picture, url);
    if (turn !== this.#turn || !this.dialog.open) return undefined; // closed before the picture was there
    const { naturalWidth, naturalHeight } = this.picture;
    if (!naturalWidth) {
      this.dialog.close(); // the search says what is wrong with it
      return undefined;
    }
    const ratio = naturalWidth / naturalHeight;
    this.dialog.style.setProperty("--ratio", ratio);
    const chosen = await this.cropper.open({ region, ratio });
    if (turn === this.#turn) this.dialog.close();
    if (chosen === null) return undefined;
    return isWhole(chosen) ? null : chosen;
  }
}

/** Or failed: then it has no size. */
function loaded(picture, url) {
  return new Promise((done) => {
    for (const end of ["load", "error"]) picture.addEventListener(end, done, { once: true });
    picture.src = url;
  });
}
