// The large view, composed: one picture on a stage with its details beside it.

import { say } from "../shared/say.js";
import { Cropper } from "../query/cropper.js";
import { isWhole } from "../query/region.js";
import { ConceptForm } from "./concept.js";
import { Details } from "./details.js";
import { Duplicates } from "./duplicates.js";
import { watchGestures } from "./gestures.js";
import { HeatMap } from "./heat-map.js";
import { watchLargeKeys } from "./keys.js";
import { Marks } from "./marks.js";
import { Notice } from "./notice.js";
import { Picture } from "./picture.js";
import { Sheet } from "./sheet.js";
import { Swipe } from "./swipe.js";
import { Tags } from "./tags.js";
import { Why } from "./why.js";
import { Zoom } from "./zoom.js";
import { ZoomTools } from "./zoom-tools.js";

const DOWN = 90; // pixels that a finger draws the picture down to close it, or up for its details

export class LargeView {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {object} does what is done here with the page
   * @param {(step: number) => Promise<void>} does.onStep to a neighbour; ±Infinity to the first and the last
   * @param {(item: object) => void} does.onSimilar
   * @param {(item: object, region: number[] | null) => void} does.onPart search by a part of it, or by all
   * @param {(as: "right" | "wrong") => void} does.onMark
   * @param {() => void} does.onForget take all marks back
   * @param {(tag: string) => void} does.onTag
   * @param {(image: object) => void} does.onOpen
   * @param {(most: number) => Promise<object[]>} does.suggestions
   * @param {(item: object) => void} does.onClosed
   */
  constructor(dialog, does) {
    Object.assign(this, { dialog, does });
    this.item = null;
    this.stage = this.#part("stage");
    this.notice = new Notice(this.#part("notice"));
    this.#composeStage();
    this.#composePanel();
    this.#watchButtons();
    watchLargeKeys(this);
    dialog.addEventListener("close", () => this.#closed());
  }

  #neighbours = { previous: null, next: null };

  /**
   * @param {object} item
   * @param {{index: number, count: number, complete: boolean, previous: object | null, next: object | null}} place among
   *   the results; `index` is -1 if it is none of them, and more may follow unless they are `complete`
   * @param {{state: object, parts: object[], query: string}} search what it was found by: the state, the parts of its
   *   score as in terms.js, and the words that are to be seen
   */
  show(item, place, { state, parts, query }) {
    this.#neighbours = place;
    this.#part("previous").disabled = !place.previous;
    this.#part("next").disabled = !place.next;
    const another = this.item?.id !== item.id;
    const stepping = another && this.item !== null;
    this.item = item;
    if (!this.dialog.open) this.dialog.showModal();
    if (another) this.#fill(item, place, stepping);
    this.swipe.show(place);
    this.why.show(item, parts);
    this.marks.show(item.id, state, parts.some(({ ask }) => ask));
    this.concept.show({ query, right: state.right, wrong: state.wrong }, item.collection ?? null);
    this.#keepFocus();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {number} step */
  async step(step) {
    const { previous, next } = this.#neighbours;
    if (step < 0 ? previous : next) await this.does.onStep(step);
  }

  /** Draw a box over the picture, to search for what is in it. */
  async choosePart() {
    const { item } = this;
    this.zoom.reset();
    this.stage.classList.add("cropping");
    const region = await this.cropper.open();
    this.stage.classList.remove("cropping");
    if (this.item !== item) return;
    if (region) this.does.onPart(item, isWhole(region) ? null : region);
    else this.#part("part").focus();
  }

  mark(as) {
    if (this.marks.available) this.does.onMark(as);
  }

  #part(id) {
    return this.dialog.querySelector(`#${id}`);
  }

  #composeStage() {
    const [stage, frame] = [this.stage, this.#part("frame")];
    const layers = { frame, soft: this.#part("large-soft"), sharp: this.#part("large-sharp"), full: this.#part("large-full") };
    this.picture = new Picture(layers, {
      onReady: () => this.#prefetch(),
      onBroken: () => (this.#part("large-problem").hidden = false),
    });
    this.cropper = new Cropper(frame);
    const tools = new ZoomTools(this.#part("zoom-tools"), () => this.zoom);
    this.zoom = new Zoom(stage, frame, (zoom) => {
      stage.classList.toggle("zoomed", zoom.zoomed);
      tools.show(zoom);
      if (this.item && zoom.zoomed) this.picture.refine(zoom.resolution);
    });
    const parts = { stage, strip: this.#part("strip"), before: this.#part("before"), after: this.#part("after") };
    this.swipe = new Swipe(parts, (step) => this.step(step));
    watchGestures(stage, {
      onDrag: (drag) => this.#dragged(drag),
      onDragEnd: (drag) => this.#dropped(drag),
      onPinch: (factor, point, moved) => {
        this.zoom.by(factor, point, { smooth: false });
        this.zoom.move(moved.x, moved.y);
      },
      onWheel: (factor, point) => this.zoom.by(factor, point),
      onTwice: (point) => this.zoom.toggle(point),
    });
  }

  #composePanel() {
    const panel = this.#part("details");
    this.heatMap = new HeatMap(
      {
        button: this.#part("why"),
        layer: this.#part("large-heat"),
        caption: this.#part("heat-caption"),
        legend: this.#part("legend"),
        status: this.#part("why-status"),
      },
      () => this.why?.update(),
    );
    this.why = new Why(this.#part("why-section"), this.heatMap);
    const { onTag, suggestions, onOpen, onMark, onForget } = this.does;
    const onProblem = (message) => this.notice.show(message);
    const onTags = (found) => this.why.showTags(found);
    const tags = new Tags(this.#part("tags-section"), { onSearch: onTag, onTags, onProblem, suggestions });
    const others = new Duplicates(this.#part("duplicates-section"), onOpen);
    this.details = new Details(panel, { tags, others }, (said) => this.notice.show(said));
    const marks = {
      group: this.#part("marks"),
      right: this.#part("mark-right"),
      wrong: this.#part("mark-wrong"),
      summary: this.#part("marks-summary"),
      forget: this.#part("marks-forget"),
    };
    this.marks = new Marks(marks, { onMark, onForget });
    this.concept = new ConceptForm(this.#part("concept"), (name) =>
      this.notice.show(say("large.concept_made", { name }), { label: say("large.concept_show"), act: () => onTag(name) }),
    );
    this.sheet = new Sheet(this.dialog, {
      panel,
      body: this.#part("details-body"),
      handle: this.#part("details-head"),
      toggles: [this.#part("info"), this.#part("details-handle")],
    });
  }

  #watchButtons() {
    const { onSimilar } = this.does;
    this.#part("previous").addEventListener("click", () => this.step(-1));
    this.#part("next").addEventListener("click", () => this.step(1));
    this.#part("large-close").addEventListener("click", () => this.dialog.close());
    this.#part("part").addEventListener("click", () => this.choosePart());
    this.#part("similar").addEventListener("click", () => onSimilar(this.item));
  }

  #fill(item, place, stepping) {
    this.#part("large-problem").hidden = true;
    this.cropper.close();
    this.picture.show(item);
    this.#part("large-sharp").alt = item.name;
    this.zoom.begin(item.width);
    this.details.show(item);
    this.#part("position").textContent = positionOf(place);
    const said = place.index < 0 ? item.name : say("large.position_of", { ...positions(place), name: item.name });
    this.#part("large-status").textContent = stepping ? said : "";
  }

  /** Keys go on working when the button that was pressed is gone, as at the last picture. */
  #keepFocus() {
    const { activeElement } = document;
    if (!this.dialog.contains(activeElement) || activeElement.disabled) this.stage.focus({ preventScroll: true });
  }

  /** So that the next step shows a sharp picture at once. */
  #prefetch() {
    for (const item of [this.#neighbours.next, this.#neighbours.previous]) if (item) this.picture.prefetch(item);
  }

  #dragged({ kind, x, y, stepX, stepY }) {
    if (this.zoom.zoomed) this.zoom.move(stepX, stepY);
    else if (kind !== "mouse" && Math.abs(x) > Math.abs(y)) this.swipe.follow({ x });
  }

  #dropped(drag) {
    const { kind, x, y, speedX, speedY } = drag;
    if (this.zoom.zoomed) this.zoom.move(speedX * 120, speedY * 120, { smooth: true }); // it glides on a little
    else if (kind === "mouse") return;
    else if (Math.abs(x) > Math.abs(y)) this.swipe.release(drag);
    else {
      this.swipe.release({ x: 0, speedX: 0 });
      if (y < -DOWN) this.sheet.toggle(true);
      if (y > DOWN) this.#drawnDown();
    }
  }

  #drawnDown() {
    if (this.sheet.open) this.sheet.toggle(false);
    else this.close();
  }

  #closed() {
    if (this.dialog.open) return; // opened again before the event came
    const { item } = this;
    this.item = null;
    this.cropper.close();
    this.heatMap.close();
    this.details.close();
    this.notice.hide();
    this.does.onClosed(item);
  }
}

const positions = ({ index, count }) => ({ index: index + 1, count });

function positionOf(place) {
  if (place.index < 0) return "";
  return say(place.complete ? "large.position" : "large.position_open", positions(place));
}
