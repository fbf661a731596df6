// The large view, composed: one picture on a stage with its details beside it.

import { say } from "../shared/say.js";
import { isWhole } from "../query/region.js";
import { ConceptForm } from "./concept.js";
import { Details } from "./details.js";
import { Duplicates } from "./duplicates.js";
import { HeatMap } from "./heat-map.js";
import { watchLargeKeys } from "./keys.js";
import { Marks } from "./marks.js";
import { Notice } from "./notice.js";
import { Sheet } from "./sheet.js";
import { Stage } from "./stage.js";
import { Tags } from "./tags.js";
import { Why } from "./why.js";

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
    this.stage = new Stage(this.#part("stage"), {
      onStep: (step) => this.step(step),
      onUp: () => this.sheet.toggle(true),
      onDown: () => (this.sheet.open ? this.sheet.toggle(false) : this.close()),
    });
    this.notice = new Notice(this.#part("notice"));
    this.#composePanel();
    this.#watchButtons();
    watchLargeKeys(this);
    dialog.addEventListener("close", () => this.#closed());
  }

  #neighbours = { previous: null, next: null };
  #explained = ""; // what it was that `why` showed last

  /**
   * @param {object} item
   * @param {{index: number, count: number, complete: boolean, previous: object | null, next: object | null}} place among
   *   the results; `index` is -1 if it is none of them, and more may follow unless they are `complete`
   * @param {{state: object, parts: object[], query: string, markable: boolean}} search what it was found by: the state,
   *   the parts of its score as in terms.js, the words that are to be seen, and whether marks may be added
   */
  show(item, place, { state, parts, query, markable }) {
    this.#neighbours = place;
    this.#part("previous").disabled = !place.previous;
    this.#part("next").disabled = !place.next;
    const another = this.item?.id !== item.id;
    const stepping = another && this.item !== null;
    this.item = item;
    if (!this.dialog.open) this.dialog.showModal();
    if (another) this.#fill(item, place, stepping);
    this.stage.showNeighbours(place);
    this.#part("position").textContent = positionOf(place);
    this.#explain(item, parts);
    this.marks.show(item.id, state, markable);
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
    const region = await this.stage.choosePart();
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
    const sheet = {
      panel,
      body: this.#part("details-body"),
      handle: this.#part("details-head"),
      toggles: [this.#part("info"), this.#part("details-handle")],
    };
    this.sheet = new Sheet(this.dialog, sheet, () => this.details.look());
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
    this.stage.show(item);
    this.details.show(item);
    if (this.sheet.open) this.details.look();
    const position = positionOf(place);
    const said = position ? say("large.position_name", { position, name: item.name }) : item.name;
    this.#part("large-status").textContent = stepping ? said : "";
  }

  /** Again only when there is something new to say: a map that is there stays. */
  #explain(item, parts) {
    const explained = JSON.stringify([item.id, item.shares, parts]);
    if (explained !== this.#explained) this.why.show(item, parts);
    this.#explained = explained;
  }

  /** Keys go on working when the button that was pressed is gone, as at the last picture. */
  #keepFocus() {
    const { activeElement } = document;
    if (!this.dialog.contains(activeElement) || activeElement.disabled) this.stage.element.focus({ preventScroll: true });
  }

  #closed() {
    if (this.dialog.open) return; // opened again before the event came
    const { item } = this;
    this.item = null;
    this.#explained = "";
    this.stage.close();
    this.heatMap.close();
    this.details.close();
    this.notice.hide();
    this.does.onClosed(item);
  }
}

/** How many there are is known once the last ones have come. */
function positionOf({ index, count, complete }) {
  if (index < 0) return "";
  return say(complete ? "large.position" : "large.position_open", { index: index + 1, count });
}
