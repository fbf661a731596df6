// What was recognised in the box, as chips that can be taken away: filters, and what is not to be seen.

import { icon } from "../shared/icon.js";
import { canSay, say } from "../shared/say.js";

const ICONS = {
  date: "date",
  format: "picture",
  orientation: "orientation",
  size: "size",
  camera: "camera",
  color: "colour",
  rating: "star",
  folder: "folder",
  path: "path",
  tag: "tag",
  exact: "quote",
  not: "not",
};

export class Chips {
  /**
   * @param {HTMLUListElement} list
   * @param {(text: string) => void} onText what is in the box once a chip is taken away
   * @param {() => string} present what is in the box now
   */
  constructor(list, onText, present) {
    this.list = list;
    this.onText = onText;
    this.present = present;
  }

  #chips = [];

  /** @param {object[]} chips of an answer @param {string} text which the box held when it was asked */
  show(chips, text) {
    if (JSON.stringify(chips) === JSON.stringify(this.#chips)) return; // nothing flickers, and the keyboard stays
    this.#chips = chips;
    this.list.replaceChildren(...chips.map((chip) => this.#chip(chip, text)));
    this.list.hidden = !chips.length;
  }

  #chip(chip, text) {
    const { kind } = chip;
    const unwanted = kind === "not" || chip.filter?.not !== undefined;
    const item = document.createElement("li");
    item.className = unwanted ? "chip unwanted" : "chip";
    item.append(icon(ICONS[kind] ?? "filter"), ...(unwanted ? [small("not", say("query.chip_not"))] : []));
    item.append(small("kind", canSay(`query.kinds.${kind}`) ? say(`query.kinds.${kind}`) : ""), small("value", valueOf(chip)), this.#remove(chip, text));
    item.title = chip.text;
    return item;
  }

  #remove(chip, text) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", say("query.remove", { name: chip.text }));
    button.append(icon("close"));
    button.addEventListener("click", () => {
      // More may have been typed since the answer came: then only the chip's own words go.
      const now = this.present();
      this.onText(now === text ? chip.without : now.replace(chip.text, "").replace(/\s+/g, " ").trim());
    });
    return button;
  }
}

function small(name, text) {
  const part = document.createElement("span");
  part.className = `chip-${name}`;
  part.textContent = text;
  return part;
}

/** Without what the icon says already: `-camera:"EOS 5D"` is EOS 5D. */
function valueOf({ kind, text, excluded }) {
  if (kind === "not") return excluded;
  const said = text.replace(/^(-|NOT\s+)/, "");
  return said.replace(/^\w+:(?=\S)/, "").replace(/^"(.*)"$/, "$1");
}
