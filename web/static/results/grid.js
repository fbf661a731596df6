// The results as justified rows. Only rows near the screen are in the document, and only pages near it are fetched.

import { Arrangement, GAP } from "./arrangement.js";
import { Drawing } from "./drawing.js";
import { destination } from "./moving.js";
import { PAGE } from "./results.js";

const AHEAD = 1.25; // screens of rows kept ready above and below
const CELLS = 130; // at most about so many, however large the screen: the document stays below 1,500 elements
const STILL = 60; // ms; a page that is passed in less is not asked for
const LONGEST = 250; // ms that are waited at most
const AT_ONCE = 2; // pages asked for

export class Grid {
  /**
   * @param {HTMLElement} element
   * @param {{address: (item: object) => string, onOpen: (item: object) => void, load: (page: number) => Promise<boolean>,
   *   newLine: () => HTMLElement, look: (item: object) => {selected: boolean, mark: "right" | "wrong" | null},
   *   onMoved: () => void}} options `load` has a page of the results fetched, and says whether it came; `newLine` makes
   *   what stands where relevance ends
   */
  constructor(element, { address, onOpen, load, newLine, look, onMoved }) {
    Object.assign(this, { element, address, load, look, onMoved });
    this.results = null;
    this.active = 0; // the position that Tab reaches
    this.#drawing = new Drawing(element, newLine);
    this.#arrangement = new Arrangement(null, 1);
    addEventListener("scroll", () => this.#schedule(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(element);
    element.addEventListener("click", (event) => this.#clicked(event, onOpen));
    element.addEventListener("focusin", (event) => this.#focused(event));
    element.addEventListener("keydown", (event) => this.#moved(event));
  }

  #drawing;
  #arrangement;
  #version = 0; // of what cells show beside their pictures
  #frame = 0;
  #timer = 0;
  #drawn = 0; // when, in ms
  #asked = new Set();

  /** @param {object | null} results @param {{position: number, above: number} | null} place as `place` told it; null: the top */
  show(results, place = null) {
    this.results = results;
    this.active = place?.position ?? 0;
    this.#begin();
    if (place) this.#scrollTo(place);
    else scrollTo({ top: 0, behavior: "instant" });
    this.#render();
  }

  /** More pictures have come, or what is drawn over them has changed. */
  update() {
    this.#version += 1;
    this.#arrangement.resize();
    this.#render();
  }

  /** Where the grid is scrolled to: a position, and how far above the top of the screen its row begins; null at the top. */
  get place() {
    return scrollY > 0 ? this.#arrangement.placeAt(this.#view) : null;
  }

  /** The last position of the first row on the screen. */
  get position() {
    const place = this.#arrangement.placeAt(Math.max(this.#view + this.#bar + 2 * GAP, 0));
    return place ? this.#arrangement.endOfRow(place.position) - 1 : 0;
  }

  get hasFocus() {
    return this.element.contains(document.activeElement);
  }

  /** The position of a cell, or of something in it; null for anything else. */
  positionOf(element) {
    const cell = element.closest?.(".cell");
    return cell && this.element.contains(cell) ? Number(cell.dataset.position) : null;
  }

  /** Scroll to a position, below the bar. */
  goTo(position) {
    this.#scrollTo({ position, above: -this.#bar - GAP });
    this.#render();
  }

  /** Put the keyboard on a picture, scrolled into view, as soon as it is here. */
  async focus(position) {
    const { results } = this;
    if (!results?.total) return;
    const target = Math.min(Math.max(position, 0), results.total - 1);
    if (!results.page(Math.floor(target / PAGE))) {
      this.goTo(target);
      if (!(await this.#fetch(Math.floor(target / PAGE))) || results !== this.results) return;
    }
    this.active = this.#existing(target);
    this.#show(this.active);
    this.#drawing.link(results.item(this.active)?.id)?.focus({ preventScroll: true });
  }

  /** Pixels of the grid above the top of the screen; negative while its own top is on it. */
  get #view() {
    return -this.element.getBoundingClientRect().top;
  }

  get #bar() {
    return Number.parseFloat(getComputedStyle(this.element).scrollMarginBlockStart) || 0;
  }

  get #margin() {
    const each = this.#arrangement.height / Math.max(this.#arrangement.total, 1); // pixels a picture
    return Math.max(Math.min(AHEAD * innerHeight, (CELLS * each - innerHeight) / 2), 0.25 * innerHeight);
  }

  /** A page with holes, where images were removed, has fewer pictures than positions. */
  #existing(position) {
    const count = this.results?.page(Math.floor(position / PAGE))?.length ?? PAGE;
    return position - Math.max((position % PAGE) - count + 1, 0);
  }

  #resized() {
    if (this.element.clientWidth === this.#arrangement.width) return;
    const { place } = this;
    this.#begin();
    if (place) this.#scrollTo(place);
    this.#render();
  }

  #begin() {
    this.#version += 1;
    this.#arrangement = new Arrangement(this.results, this.element.clientWidth);
    this.#drawing.drawLine(null, null);
    this.element.style.blockSize = `${this.#arrangement.height}px`;
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
    });
  }

  /** What is laid out now may be higher or lower than was estimated: the picture at the top of the screen stays there. */
  #render() {
    if (!this.element.clientWidth) return;
    const before = this.#view;
    const view = this.#layOutNear(before);
    this.element.style.blockSize = `${this.#arrangement.height}px`;
    if (Math.abs(view - before) > 0.5) scrollBy({ top: view - before, behavior: "instant" });
    if (!this.hasFocus) this.active = this.#existing(this.#arrangement.placeAt(Math.max(view, 0))?.position ?? 0);
    this.#draw(view);
    this.onMoved();
  }

  /** @returns {number} where the view is afterwards */
  #layOutNear(before) {
    const place = before > 0 ? this.#arrangement.anchor(before, before + innerHeight) : null;
    const near = (view) => this.#arrangement.pages(view - this.#margin, view + innerHeight + this.#margin);
    let view = before;
    while (this.#arrangement.layOut(...near(view))) {
      if (place) view = this.#arrangement.heightOf(place);
    }
    return view;
  }

  #draw(view) {
    const { pictures, missing, line } = this.#arrangement.between(view - this.#margin, view + innerHeight + this.#margin);
    const { results } = this;
    const describe = ({ item, position }) => ({
      total: results.complete ? results.total : -1,
      address: this.address(item),
      unlikely: results.line !== null && position >= results.line,
      ...this.look(item),
    });
    this.#drawing.draw(pictures, { version: this.#version, active: this.active, describe });
    this.#drawing.drawBlanks(missing.map((page) => this.#arrangement.extent(page)));
    this.#drawing.drawLine(line, line === null ? null : results.item(results.line)?.id);
    this.#ask(missing);
  }

  /** Scroll as little as it takes to have a picture on the screen. */
  #show(position) {
    this.#arrangement.layOut(Math.floor(position / PAGE));
    const layout = this.#arrangement.page(Math.floor(position / PAGE));
    const top = this.#arrangement.heightOf({ position, above: 0 });
    const bottom = top + (layout?.rows.find(({ end }) => position % PAGE < end)?.height ?? 0);
    const view = this.#view;
    const least = bottom - innerHeight + GAP;
    const most = top - this.#bar - GAP;
    const wanted = Math.min(Math.max(view, least), most);
    this.element.style.blockSize = `${this.#arrangement.height}px`;
    if (wanted !== view) scrollBy({ top: wanted - view, behavior: "instant" });
    this.#render();
  }

  /**
   * Ask for the pages that the screen rests on, few at once: who drags the scrollbar passes hundreds. Where frames take
   * long, so does a rest.
   */
  #ask(missing) {
    clearTimeout(this.#timer);
    const frame = performance.now() - this.#drawn;
    this.#drawn = performance.now();
    if (!missing.length) return;
    this.#timer = setTimeout(() => {
      for (const page of missing) if (this.#asked.size < AT_ONCE && !this.#asked.has(page)) this.#fetch(page);
    }, Math.min(Math.max(STILL, 2 * frame), LONGEST));
  }

  async #fetch(page) {
    const { results } = this;
    this.#asked.add(page);
    const came = await this.load(page).finally(() => this.#asked.delete(page));
    if (came && results === this.results) this.update();
    return came;
  }

  #scrollTo(place) {
    this.#arrangement.layOut(Math.floor(place.position / PAGE));
    this.element.style.blockSize = `${this.#arrangement.height}px`;
    scrollBy({ top: this.#arrangement.heightOf(place) - this.#view, behavior: "instant" });
  }

  #clicked(event, onOpen) {
    const link = event.target.closest("a");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere || event.defaultPrevented) return;
    event.preventDefault();
    onOpen(this.results.item(this.positionOf(link)));
  }

  #focused(event) {
    const position = this.positionOf(event.target);
    if (position === null || position === this.active) return;
    this.active = position;
    this.#drawing.reach(position);
  }

  #moved(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("a")) return;
    const rightToLeft = getComputedStyle(this.element).direction === "rtl";
    const rowsOf = (page) => {
      this.#arrangement.layOut(page);
      return this.#arrangement.page(page);
    };
    const target = destination(event.key, this.active, { results: this.results, rowsOf, rightToLeft });
    if (target === null) return;
    event.preventDefault();
    this.focus(target);
  }
}
