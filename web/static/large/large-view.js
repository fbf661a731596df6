// The large view: one picture with its details, previous and next by button, arrow key and swipe.

import { RequestFailed, image, thumbnailUrl } from "../shared/api.js";
import { writeFacts } from "../shared/facts.js";
import { HeatMap } from "./heat-map.js";
import { messages } from "../shared/messages.js";
import { formatBytes, formatDate, formatDimensions, formatLikely, formatScore } from "../shared/numbers.js";

const SWIPE = 48; // pixels that a finger must travel sideways

export class LargeView {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {{onStep: (step: -1 | 1) => void, onSimilar: (item: object) => void, onClosed: (item: object) => void}} handlers
   */
  constructor(dialog, { onStep, onSimilar, onClosed }) {
    this.dialog = dialog;
    this.item = null;
    this.onStep = onStep;
    this.#part("previous").addEventListener("click", () => onStep(-1));
    this.#part("next").addEventListener("click", () => onStep(1));
    this.#part("large-close").addEventListener("click", () => dialog.close());
    this.#part("similar").addEventListener("click", () => onSimilar(this.item));
    this.heatMap = new HeatMap({
      button: this.#part("why"),
      layer: this.#part("large-heat"),
      legend: this.#part("legend"),
      status: this.#part("why-status"),
    });
    this.#part("copy").addEventListener("click", () => this.#copy());
    this.#part("copy").hidden = !navigator.clipboard; // browsers offer it on https and localhost only
    dialog.addEventListener("close", () => {
      if (dialog.open) return; // opened again before the event came
      const { item } = this;
      this.item = null;
      this.heatMap.close();
      onClosed(item);
    });
    dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#watchPicture();
    this.#watchSwipes();
  }

  /**
   * @param {object} item
   * @param {{index: number, last: boolean}} place position among the results, -1 if it is none of them
   * @param {object} query as in state.js: what the picture was found by
   */
  show(item, { index, last }, query) {
    this.#part("previous").disabled = index <= 0;
    this.#part("next").disabled = index < 0 || last;
    if (this.item?.id !== item.id) {
      this.#fill(item, index);
      this.heatMap.show(item, query);
    }
    if (!this.dialog.open) this.dialog.showModal();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  #part(id) {
    return this.dialog.querySelector(`#${id}`);
  }

  #fill(item, index) {
    const stepping = this.item !== null;
    this.item = item;
    this.#fillPicture(item);
    this.#part("large-name").textContent = item.name;
    this.#part("large-path").replaceChildren(...breakable(item.path));
    this.#part("original").href = item.original_url;
    writeFacts(this.#part("large-facts"), factsOf(item));
    this.#fillSaid(item);
    this.#part("large-status").textContent = stepping ? messages.position(index, item.name) : "";
  }

  /** What is said of it beside its pixels is asked for; without an answer the facts that are here stand. */
  async #fillSaid(item) {
    try {
      const detail = await image(item.id);
      if (this.item === item) writeFacts(this.#part("large-facts"), [...factsOf(item), ...saidOf(detail)]);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
    }
  }

  /** The grid's thumbnail is here already: it stands in until the large one has come. */
  #fillPicture(item) {
    const frame = this.#part("frame");
    const [soft, sharp] = [this.#part("large-soft"), this.#part("large-sharp")];
    frame.style.setProperty("--ratio", item.width / item.height);
    frame.style.setProperty("--natural", `${item.width}px`);
    frame.classList.remove("sharp-loaded", "failed");
    this.#part("large-problem").hidden = true;
    sharp.removeAttribute("src"); // or the picture before would stay until the new one has come
    soft.src = thumbnailUrl(item, 320);
    sharp.src = thumbnailUrl(item, 1280);
    sharp.alt = item.name;
  }

  #watchPicture() {
    const sharp = this.#part("large-sharp");
    sharp.addEventListener("load", () => this.#part("frame").classList.add("sharp-loaded"));
    sharp.addEventListener("error", () => {
      if (!sharp.hasAttribute("src")) return;
      this.#part("frame").classList.add("failed");
      this.#part("large-problem").textContent = messages.largeProblem;
      this.#part("large-problem").hidden = false;
    });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "w" && !event.repeat) this.heatMap.toggle();
    const rightToLeft = getComputedStyle(this.dialog).direction === "rtl";
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.#step(rightToLeft ? -step : step);
  }

  #step(step) {
    if (!this.#part(step < 0 ? "previous" : "next").disabled) this.onStep(step);
  }

  #watchSwipes() {
    let start = null;
    const stage = this.#part("stage");
    stage.addEventListener("touchstart", ({ touches }) => {
      start = touches.length === 1 ? touches[0] : null;
    }, { passive: true });
    stage.addEventListener("touchend", ({ changedTouches: [end] }) => {
      if (!start || visualViewport.scale > 1) return; // a zoomed picture is being moved
      const across = end.clientX - start.clientX;
      const down = Math.abs(end.clientY - start.clientY);
      start = null;
      if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * down) this.#step(across < 0 ? 1 : -1);
    });
  }

  async #copy() {
    await navigator.clipboard.writeText(this.item.path);
    this.#part("large-status").textContent = messages.copied;
  }
}

/** A path that wraps after its slashes. */
function breakable(path) {
  return path.split(/(?<=[/\\])/).flatMap((part) => [part, document.createElement("wbr")]);
}

function factsOf(item) {
  const { facts } = messages;
  return [
    [facts.match, item.score === undefined ? null : formatScore(item.score)],
    [facts.likely, item.probability == null ? null : formatLikely(item.probability)],
    [facts.taken, item.taken_at && formatDate(item.taken_at)],
    [facts.camera, item.camera],
    [facts.dimensions, formatDimensions(item.width, item.height)],
    [facts.size, formatBytes(item.size)],
    [facts.format, item.format.toUpperCase()],
  ];
}

function saidOf({ title, captions, keywords, rating, companions }) {
  const { facts } = messages;
  return [
    [facts.title, title],
    [facts.captions, captions.join("\n")],
    [facts.keywords, keywords.join(", ")],
    [facts.rating, rating === null ? null : messages.stars(rating)],
    [facts.companions, companions.map((path) => path.split(/[/\\]/).at(-1)).join(", ")],
  ];
}
