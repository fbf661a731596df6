// A dialog that asks for a name, for the labels of a list, or whether something is really meant. What goes wrong is said
// in it, and what was typed stays.

import { RequestFailed } from "../shared/api.js";
import { part } from "./frame.js";

export class Editor {
  #save = null;

  constructor() {
    this.dialog = part("editor");
    part("editor-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /**
   * @param {{title: string, hint: string, action: string, name?: string, text?: string,
   *   save: (name: string, text: string) => Promise<unknown>}} what fields that are not given are not asked for
   */
  open({ title, hint, action, name, text, save }) {
    this.#save = save;
    part("editor-title").textContent = title;
    part("editor-hint").textContent = hint;
    part("editor-save").textContent = action;
    part("editor-problem").textContent = "";
    this.#field("name", name);
    this.#field("text", text);
    this.dialog.showModal();
  }

  #field(which, value) {
    const field = part(`editor-${which}`);
    part(`editor-${which}-field`).hidden = field.disabled = value === undefined;
    field.value = value ?? "";
  }

  async #submit() {
    const button = part("editor-save");
    button.disabled = true;
    part("editor-problem").textContent = "";
    try {
      await this.#save(part("editor-name").value.trim(), part("editor-text").value);
      this.dialog.close();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      part("editor-problem").textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }
}
