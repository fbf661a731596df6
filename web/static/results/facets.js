// The filters beside the results: how many pictures there are of each kind, to narrow the search by a click.

import { formatCount } from "../shared/numbers.js";
import { canSay, say } from "../shared/say.js";

const SHOWN = 8; // values of a kind, until more are asked for
const KINDS = ["year", "folder", "camera", "tag", "color", "rating", "orientation", "format"];

export class Facets {
  /**
   * @param {{panel: HTMLDialogElement, button: HTMLButtonElement}} elements
   * @param {{ask: (signal: AbortSignal) => Promise<object | null>, text: () => string, onText: (text: string) => void,
   *   onProblem: (error: Error) => void}} page `ask` fetches the counts, or null where there are none; `text` is what
   *   stands in the search box: a filter that is on stands in it as text
   */
  constructor({ panel, button }, page) {
    Object.assign(this, { panel, button, page });
    this.body = panel.querySelector(".facet-groups");
    this.note = panel.querySelector(".facet-note");
    button.addEventListener("click", () => (panel.open ? panel.close() : this.#open()));
    panel.querySelector(".facets-close").addEventListener("click", () => panel.close());
    panel.addEventListener("click", (event) => event.target === panel && panel.close()); // beside the drawer
    panel.addEventListener("close", () => this.#closed());
    this.#narrow.addEventListener("change", () => panel.open && (panel.close(), this.#open()));
  }

  #narrow = matchMedia("(width < 46rem)");
  #abort = null;
  #shown = null; // the query that the counts are of
  #expanded = new Set();

  /** The results are of another query. */
  show(key) {
    if (key === this.#shown) return;
    this.#shown = key;
    if (this.panel.open) this.#load();
  }

  #open() {
    this.button.setAttribute("aria-expanded", "true");
    if (this.#narrow.matches) this.panel.showModal();
    else this.panel.show();
    this.#load();
  }

  #closed() {
    this.#abort?.abort();
    this.button.setAttribute("aria-expanded", "false");
    this.button.focus();
  }

  async #load() {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.panel.setAttribute("aria-busy", "true");
    try {
      const facets = await this.page.ask(abort.signal);
      if (!abort.signal.aborted) this.#draw(facets);
    } catch (error) {
      if (!abort.signal.aborted) this.page.onProblem(error);
    }
    if (this.#abort === abort) this.panel.removeAttribute("aria-busy");
  }

  #draw(facets) {
    const held = document.activeElement?.dataset?.box;
    const kinds = KINDS.filter((kind) => facets?.[kind]?.length);
    this.note.textContent = facets === null ? say("results.facets_of_one") : say("results.facets_of", { count: facets.total });
    this.body.replaceChildren(...kinds.map((kind) => this.#group(kind, facets[kind])));
    if (held) this.body.querySelector(`[data-box="${CSS.escape(held)}"]`)?.focus();
  }

  #group(kind, values) {
    const group = document.createElement("section");
    const heading = document.createElement("h3");
    const list = document.createElement("ul");
    heading.textContent = say(`results.facet.${kind}`);
    heading.id = `facet-${kind}`;
    list.setAttribute("aria-labelledby", heading.id);
    const fill = () => {
      const few = this.#expanded.has(kind) ? values : values.slice(0, SHOWN);
      list.replaceChildren(...few.map((value) => this.#value(kind, value)));
    };
    fill();
    group.append(heading, list);
    if (values.length > SHOWN) group.append(this.#more(kind, values.length - SHOWN, fill));
    return group;
  }

  #more(kind, count, fill) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "facet-more";
    const label = () => {
      const open = this.#expanded.has(kind);
      button.setAttribute("aria-expanded", open);
      button.textContent = open ? say("results.facet_fewer") : say("results.facet_more", { count });
    };
    button.addEventListener("click", () => {
      if (!this.#expanded.delete(kind)) this.#expanded.add(kind);
      fill();
      label();
    });
    label();
    return button;
  }

  #value(kind, { value, images, box }) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const on = box !== null && holds(this.page.text(), box);
    button.type = "button";
    button.className = "facet";
    button.dataset.box = box;
    button.setAttribute("aria-pressed", on);
    button.disabled = box === null; // no text filters by it
    const name = document.createElement("span");
    name.className = "facet-name";
    name.textContent = nameOf(kind, value);
    name.title = kind === "folder" ? value : "";
    const count = document.createElement("span");
    count.className = "facet-count";
    count.textContent = formatCount(images);
    if (kind === "color") button.append(swatch(value));
    button.append(name, count);
    button.addEventListener("click", () => {
      const text = this.page.text();
      this.page.onText(on ? without(text, box) : `${text} ${box}`.trim());
    });
    item.append(button);
    return item;
  }
}

/** Whether a filter's text stands in the box, as words of its own. */
const holds = (text, box) => ` ${text} `.includes(` ${box} `);

const without = (text, box) => ` ${text} `.replace(` ${box} `, " ").trim();

function nameOf(kind, value) {
  if (canSay(`results.facet_value.${kind}.${value}`)) return say(`results.facet_value.${kind}.${value}`);
  if (kind === "rating") return say("results.stars", { count: Number(value) });
  if (kind === "folder") return value.split("/").at(-1) || value;
  return kind === "format" ? value.toUpperCase() : value;
}

function swatch(colour) {
  const dot = document.createElement("span");
  dot.className = `swatch ${colour}`;
  return dot;
}
