// Marking the picture in the large view as right or wrong: what is marked ranks the search anew, at once.

import { say } from "../shared/say.js";

/** The state with an image marked `right` or `wrong`, or, if it is so already, not marked. */
export function marked(state, reference, as) {
  const without = (name) => state[name].filter((other) => other !== reference);
  const next = { ...state, right: without("right"), wrong: without("wrong") };
  if (!state[as].includes(reference)) next[as] = [...next[as], reference];
  return next;
}

export const marksOf = ({ right, wrong }) => right.length + wrong.length;

export class Marks {
  /**
   * @param {{group: HTMLElement, right: HTMLButtonElement, wrong: HTMLButtonElement, summary: HTMLElement,
   *   forget: HTMLButtonElement}} elements
   * @param {{onMark: (as: "right" | "wrong") => void, onForget: () => void}} handlers
   */
  constructor({ group, right, wrong, summary, forget }, { onMark, onForget }) {
    Object.assign(this, { group, summary });
    this.buttons = { right, wrong };
    for (const as of ["right", "wrong"]) this.buttons[as].addEventListener("click", () => onMark(as));
    forget.addEventListener("click", onForget);
  }

  get available() {
    return !this.group.hidden;
  }

  /** @param {boolean} markable whether there is a search that marks can say something of */
  show(reference, state, markable) {
    this.group.hidden = !markable;
    for (const [as, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-pressed", state[as].includes(reference));
    }
    const count = marksOf(state);
    this.summary.hidden = !count;
    this.summary.firstElementChild.textContent = count ? say("large.ranked_by", { count }) : "";
  }
}
