// The results as justified rows. Only rows near the screen are in the document; each picture keeps its element.

import { thumbnailUrl } from "../shared/api.js";
import { justify } from "./layout.js";
import { messages } from "../shared/messages.js";
import { formatScore } from "../shared/numbers.js";

const GAP = 6;
const STRETCH = 1.75; // a small thumbnail may be shown this much larger than it is; then the large one is fetched
const AHEAD = 1.25; // screens of rows kept ready above and below
const SKELETON = [1.5, 0.75, 1.33, 1.78, 1, 1.5, 0.67, 1.33, 1.5, 1.2, 1.78, 0.8].map((r) => ({ width: r, height: 1 }));

export class Grid {
  /**
   * @param {HTMLElement} element
   * @param {{address: (item: object) => string, onOpen: (item: object) => void, onNearEnd: () => void}} options
   */
  constructor(element, { address, onOpen, onNearEnd }) {
    this.element = element;
    this.address = address;
    this.onNearEnd = onNearEnd;
    this.items = [];
    this.complete = true;
    this.lastRelevant = null;
    this.active = 0; // the picture that Tab reaches
    this.#layout = justify([], 1, { gap: GAP, complete: true });
    addEventListener("scroll", () => this.#schedule(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(element);
    element.addEventListener("click", (event) => this.#clicked(event, onOpen));
    element.addEventListener("focusin", (event) => this.#focused(event));
    element.addEventListener("keydown", (event) => this.#moved(event));
  }

  #cells = new Map(); // image -> <li>
  #layout;
  #width = 0;
  #frame = 0;

  /**
   * @param {boolean} complete no more pages follow
   * @param {number | null} lastRelevant those after this position are drawn as unlikely to match
   */
  show(items, complete, lastRelevant = null) {
    const same = this.items === items;
    this.items = items;
    this.complete = complete;
    this.lastRelevant = lastRelevant;
    if (!same) this.active = 0;
    this.#arrange();
  }

  /** Put the keyboard on a picture, scrolled into view. */
  focus(index) {
    if (!this.#layout.boxes.length) return;
    this.active = Math.min(Math.max(index, 0), this.#layout.boxes.length - 1);
    this.#render();
    const link = this.#cells.get(this.items[this.active].id)?.firstElementChild;
    link?.focus({ preventScroll: true });
    link?.scrollIntoView({ block: "nearest" });
  }

  get hasFocus() {
    return this.element.contains(document.activeElement);
  }

  #resized() {
    if (this.element.clientWidth === this.#width) return;
    this.#arrange();
  }

  #arrange() {
    this.#width = this.element.clientWidth;
    if (!this.#width) return;
    this.#layout = justify(this.items, this.#width, { gap: GAP, complete: this.complete });
    this.element.style.blockSize = `${this.#layout.height}px`;
    this.#render();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
    });
  }

  #render() {
    const top = -this.element.getBoundingClientRect().top;
    const margin = innerHeight * AHEAD;
    const wanted = this.#between(top - margin, top + innerHeight + margin);
    this.#place(wanted);
    const nearEnd = top + innerHeight + margin > this.#layout.height;
    if (nearEnd && !this.complete && this.items.length) this.onNearEnd();
  }

  /** Positions to draw, in order: rows between two heights, and the one that holds the keyboard. */
  #between(from, to) {
    const { rows } = this.#layout;
    const wanted = [];
    for (let row = firstBelow(rows, from); row < rows.length && rows[row].y < to; row += 1) {
      for (let index = rows[row].start; index < rows[row].end; index += 1) wanted.push([index, rows[row]]);
    }
    const holder = rows.find(({ start, end }) => start <= this.active && this.active < end);
    if (holder && !wanted.some(([index]) => index === this.active)) {
      wanted[wanted.length && wanted[0][0] < this.active ? "push" : "unshift"]([this.active, holder]);
    }
    return wanted;
  }

  #place(wanted) {
    const keep = new Set(wanted.map(([index]) => this.items[index].id));
    for (const [id, cell] of this.#cells) {
      if (keep.has(id)) continue;
      cell.querySelector("img").removeAttribute("src"); // a download that nobody waits for any more
      cell.remove();
      this.#cells.delete(id);
    }
    let next = this.element.firstElementChild;
    for (const [index, row] of wanted) {
      const cell = this.#cell(this.items[index]);
      if (cell === next) next = cell.nextElementSibling;
      else this.element.insertBefore(cell, next);
      this.#update(cell, index, row);
    }
  }

  #cell(item) {
    const cell = this.#cells.get(item.id) ?? newCell(item);
    this.#cells.set(item.id, cell);
    return cell;
  }

  #update(cell, index, row) {
    const item = this.items[index];
    const { x, width } = this.#layout.boxes[index];
    cell.style.insetInlineStart = `${x}px`;
    cell.style.insetBlockStart = `${row.y}px`;
    cell.style.inlineSize = `${width}px`;
    cell.style.blockSize = `${row.height}px`;
    const unlikely = this.lastRelevant !== null && index > this.lastRelevant;
    cell.classList.toggle("unlikely", unlikely);
    cell.classList.toggle("first-unlikely", unlikely && index === this.lastRelevant + 1);
    cell.setAttribute("aria-posinset", index + 1);
    cell.setAttribute("aria-setsize", this.complete ? this.items.length : -1);
    chooseThumbnail(cell.querySelector("img"), item, Math.max(width, row.height));
    const link = cell.firstElementChild;
    link.tabIndex = index === this.active ? 0 : -1;
    link.href = this.address(item);
    link.dataset.index = index;
    link.querySelector(".cell-score").textContent = item.score === undefined ? "" : formatScore(item.score);
  }

  #clicked(event, onOpen) {
    const link = event.target.closest("a");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere) return;
    event.preventDefault();
    onOpen(this.items[Number(link.dataset.index)]);
  }

  #focused(event) {
    const link = event.target.closest("a");
    if (!link || Number(link.dataset.index) === this.active) return;
    this.active = Number(link.dataset.index);
    for (const other of this.element.querySelectorAll("a")) other.tabIndex = other === link ? 0 : -1;
  }

  #moved(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("a")) return;
    const target = this.#destination(event.key);
    if (target === null) return;
    event.preventDefault();
    this.focus(target);
  }

  #destination(key) {
    const rightToLeft = getComputedStyle(this.element).direction === "rtl";
    const last = this.#layout.boxes.length - 1;
    switch (key) {
      case "ArrowRight":
        return Math.min(this.active + (rightToLeft ? -1 : 1), last);
      case "ArrowLeft":
        return Math.max(this.active + (rightToLeft ? 1 : -1), 0);
      case "ArrowDown":
        return this.#across(1);
      case "ArrowUp":
        return this.#across(-1);
      case "Home":
        return 0;
      case "End":
        return last;
      default:
        return null;
    }
  }

  /** The picture of the next or previous row whose middle is nearest. */
  #across(step) {
    const { rows, boxes } = this.#layout;
    const row = rows[rows.findIndex(({ end }) => this.active < end) + step];
    if (!row) return this.active;
    const middle = (index) => boxes[index].x + boxes[index].width / 2;
    const distance = (index) => Math.abs(middle(index) - middle(this.active));
    let best = row.start;
    for (let index = row.start; index < row.end; index += 1) {
      if (distance(index) < distance(best)) best = index;
    }
    return best;
  }
}

/** Grey boxes in place of pictures that are on their way, filling the element's width. */
export function drawSkeleton(element) {
  const pictures = Array.from({ length: 36 }, (_, index) => SKELETON[index % SKELETON.length]);
  const { rows, boxes } = justify(pictures, element.clientWidth, { gap: GAP, complete: false });
  element.replaceChildren(
    ...rows.flatMap(({ start, end, y, height }) =>
      boxes.slice(start, end).map(({ x, width }) => {
        const box = document.createElement("span");
        Object.assign(box.style, {
          insetInlineStart: `${x}px`,
          insetBlockStart: `${y}px`,
          inlineSize: `${width}px`,
          blockSize: `${height}px`,
        });
        return box;
      }),
    ),
  );
}

function newCell(item) {
  const template = document.createElement("template");
  template.innerHTML =
    '<li class="cell"><a><img alt="" loading="lazy" decoding="async" draggable="false">' +
    '<span class="cell-caption" aria-hidden="true"><span class="cell-name"></span><span class="cell-score"></span></span></a></li>';
  const cell = template.content.firstElementChild;
  const picture = cell.querySelector("img");
  cell.style.setProperty("--hue", (Number.parseInt(item.id, 10) * 47) % 360);
  cell.querySelector(".cell-name").textContent = item.name;
  picture.alt = item.name;
  picture.addEventListener("load", () => cell.classList.add("loaded"));
  picture.addEventListener("error", () => {
    if (!picture.hasAttribute("src")) return;
    cell.classList.add("broken");
    cell.title = messages.previewFailed;
  });
  return cell;
}

/** @param {number} longest side of the box, in CSS pixels */
function chooseThumbnail(picture, item, longest) {
  const side = longest * devicePixelRatio > 320 * STRETCH ? 1280 : 320;
  if (side <= Number(picture.dataset.side ?? 0)) return; // what is there is good enough
  picture.dataset.side = side;
  picture.src = thumbnailUrl(item, side);
}

/** The first row that ends below a height: rows are sorted, so by halving. */
function firstBelow(rows, y) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].y + rows[middle].height < y) low = middle + 1;
    else high = middle;
  }
  return low;
}
