// The terms tray: what is searched by beside the words, a card each, with how much it counts.

import { pictureUrl, thumbnailOf } from "../shared/api.js";
import { formatDecimal } from "../shared/numbers.js";
import { say } from "../shared/say.js";
import { termKey } from "./state.js";
import { nameOfTerm } from "./title.js";

const PAUSE = 120; // ms without a move of the slider before a search starts

export class Terms {
  /**
   * @param {HTMLElement} tray
   * @param {HTMLTemplateElement} template of a card
   * @param {{onWeight: (term: object, weight: number, settled: boolean) => void, onRemove: (term: object) => void}} handlers
   */
  constructor(tray, template, { onWeight, onRemove }) {
    this.tray = tray;
    this.list = tray.querySelector("ul");
    this.template = template.content.firstElementChild;
    this.onWeight = onWeight;
    this.onRemove = onRemove;
  }

  #cards = new Map(); // term key -> <li>
  #terms = new Map(); // <li> -> its term
  #waiting = new Set(); // <li> of pictures on their way to the server
  #timer = 0;

  /** @param {(reference: number | string) => string | null} nameOf the name of an indexed image, if it is known */
  show(terms, nameOf) {
    clearTimeout(this.#timer);
    const kept = new Map(terms.map((term) => [termKey(term), this.#cards.get(termKey(term)) ?? this.#card(term)]));
    for (const [key, card] of this.#cards) if (!kept.has(key)) card.remove();
    this.#cards = kept;
    terms.forEach((term, index) => {
      const card = kept.get(termKey(term));
      this.#terms.set(card, term);
      this.#update(card, term, nameOf);
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

  #showTray() {
    this.tray.hidden = !this.#cards.size && !this.#waiting.size;
  }

  #card(term) {
    const card = this.template.cloneNode(true);
    card.classList.toggle("words", term.kind === "text");
    if (term.kind !== "text") card.querySelector("img").src = addressOf(term);
    const slider = card.querySelector("input");
    slider.addEventListener("input", () => this.#slid(card, slider, false));
    slider.addEventListener("change", () => this.#slid(card, slider, true));
    card.querySelector(".term-remove").addEventListener("click", () => this.onRemove(this.#terms.get(card)));
    return card;
  }

  #update(card, term, nameOf) {
    const name = nameOfTerm(term, nameOf);
    card.querySelector(".term-name").textContent = term.kind === "text" ? term.ref : name;
    card.querySelector("input").setAttribute("aria-label", say("query.weight", { name }));
    card.querySelector(".term-remove").setAttribute("aria-label", say("query.remove", { name }));
    this.#showWeight(card, term.weight);
  }

  #showWeight(card, weight) {
    const slider = card.querySelector("input");
    if (Number(slider.value) !== weight) slider.value = weight;
    const said = saidOf(weight);
    slider.setAttribute("aria-valuetext", said);
    card.querySelector(".term-weight").textContent = said;
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

const addressOf = ({ kind, ref }) => (kind === "picture" ? pictureUrl(ref) : thumbnailOf(ref));

function saidOf(weight) {
  if (weight === -1) return say("query.not_this");
  return weight < 0 ? say("query.less_of", { weight: formatDecimal(-weight) }) : formatDecimal(weight);
}
