// The terms tray: what is searched by beside the words, a card each, with how much it counts.

import { pictureUrl, thumbnailOf } from "../shared/api.js";
import { formatDecimal } from "../shared/numbers.js";
import { say } from "../shared/say.js";
import { WHOLE } from "./region.js";
import { termKey } from "./state.js";
import { nameOfTerm } from "./title.js";

const PAUSE = 120; // ms without a move of the slider before a search starts
const UNWANTED = -0.5; // docs/queries.md

export class Terms {
  /**
   * @param {HTMLElement} tray
   * @param {HTMLTemplateElement} template of a card
   * @param {HTMLButtonElement} opener of the tray while no term is there
   * @param {{onWeight: (term: object, weight: number, settled: boolean) => void, onRemove: (term: object) => void,
   *   onCrop: (term: object) => void, onText: (text: string, weight: number) => void}} handlers
   */
  constructor(tray, template, opener, { onWeight, onRemove, onCrop, onText }) {
    this.tray = tray;
    this.list = tray.querySelector("ul");
    this.template = template.content.firstElementChild;
    this.opener = opener;
    Object.assign(this, { onWeight, onRemove, onCrop });
    opener.addEventListener("click", () => this.#toggle());
    watchField(tray.querySelector("#also"), (text) => onText(text, 1));
    watchField(tray.querySelector("#without"), (text) => onText(text, UNWANTED));
  }

  #cards = new Map(); // term key -> <li>
  #terms = new Map(); // <li> -> its term
  #waiting = new Set(); // <li> of pictures on their way to the server
  #timer = 0;
  #opened = false; // to add a first term

  /** @param {(reference: number | string) => string | null} nameOf the name of an indexed image, if it is known */
  show(terms, nameOf) {
    clearTimeout(this.#timer);
    const kept = new Map(terms.map((term) => [termKey(term), this.#cards.get(termKey(term)) ?? this.#card(term)]));
    for (const [key, card] of this.#cards) if (!kept.has(key)) card.remove();
    this.#cards = kept;
    this.#terms = new Map(terms.map((term) => [kept.get(termKey(term)), term]));
    [...this.#terms.keys()].forEach((card, index) => {
      this.#update(card, nameOf);
      if (this.list.children[index] !== card) this.list.insertBefore(card, this.list.children[index] ?? null);
    });
    this.#showTray();
  }

  /** A card for a picture that is on its way. @returns {() => void} takes it away again */
  wait(file) {
    const card = this.template.cloneNode(true);
    const url = URL.createObjectURL(file);
    card.querySelector("img").src = url;
    card.querySelector(".term-name").textContent = file.name;
    card.setAttribute("aria-busy", "true");
    card.inert = true;
    this.list.append(card);
    this.#waiting.add(card);
    this.#showTray();
    return () => {
      URL.revokeObjectURL(url);
      card.remove();
      this.#waiting.delete(card);
      this.#showTray();
    };
  }

  #toggle() {
    this.#opened = this.tray.hidden;
    this.#showTray();
    if (!this.tray.hidden) this.tray.querySelector("#also").focus();
  }

  #showTray() {
    this.tray.hidden = !this.#cards.size && !this.#waiting.size && !this.#opened;
    this.opener.setAttribute("aria-expanded", !this.tray.hidden);
  }

  #card(term) {
    const card = this.template.cloneNode(true);
    card.classList.toggle("words", term.kind === "text");
    if (term.kind !== "text") showPart(card.querySelector("img"), addressOf(term), term.region);
    const slider = card.querySelector("input");
    slider.addEventListener("input", () => this.#slid(card, slider, false));
    slider.addEventListener("change", () => this.#slid(card, slider, true));
    card.querySelector(".term-picture").addEventListener("click", () => this.onCrop(this.#terms.get(card)));
    card.querySelector(".term-remove").addEventListener("click", () => this.onRemove(this.#terms.get(card)));
    return card;
  }

  #update(card, nameOf) {
    const term = this.#terms.get(card);
    const name = nameOfTerm(term, nameOf);
    card.querySelector(".term-name").textContent = term.kind === "text" ? term.ref : name;
    card.querySelector(".term-name").title = name;
    card.querySelector("input").setAttribute("aria-label", say("query.weight", { name }));
    card.querySelector(".term-picture").setAttribute("aria-label", say("query.crop", { name }));
    card.querySelector(".term-remove").setAttribute("aria-label", say("query.remove", { name }));
    this.#showWeight(card, term.weight);
  }

  #showWeight(card, weight) {
    const slider = card.querySelector("input");
    if (Number(slider.value) !== weight) slider.value = weight;
    slider.style.setProperty("--from", `${50 + Math.min(weight, 0) * 50}%`);
    slider.style.setProperty("--to", `${50 + Math.max(weight, 0) * 50}%`);
    slider.setAttribute("aria-valuetext", saidOf(weight));
    card.querySelector(".term-weight").textContent = saidOf(weight);
    card.classList.toggle("unwanted", weight < 0);
  }

  /** 0 would say nothing: the slider passes over it. */
  #slid(card, slider, settled) {
    const term = this.#terms.get(card);
    const weight = Number(slider.value) || (term.weight > 0 ? -0.1 : 0.1);
    this.#showWeight(card, weight);
    clearTimeout(this.#timer);
    if (settled) this.onWeight(term, weight, true);
    else this.#timer = setTimeout(() => this.onWeight(term, weight, false), PAUSE);
  }
}

/** Of a part of a picture that part is shown, filling the square. */
function showPart(picture, address, region) {
  const [left, top, width, height] = region ?? WHOLE;
  picture.addEventListener("load", () => {
    const { naturalWidth, naturalHeight } = picture;
    const scale = 1 / Math.min(width * naturalWidth, height * naturalHeight); // to a square of side 1
    const place = (start, length, side) => `${(0.5 - (start + length / 2) * side * scale) * 100}%`;
    picture.style.setProperty("--wide", `${naturalWidth * scale * 100}%`);
    picture.style.setProperty("--across", place(left, width, naturalWidth));
    picture.style.setProperty("--down", place(top, height, naturalHeight));
  });
  picture.src = address;
}

function watchField(field, onText) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    if (text) onText(text);
  });
}

const addressOf = ({ kind, ref }) => (kind === "picture" ? pictureUrl(ref) : thumbnailOf(ref));

function saidOf(weight) {
  if (weight === -1) return say("query.not_this");
  return weight < 0 ? say("query.less_of", { weight: formatDecimal(-weight) }) : formatDecimal(weight);
}
