// The list below the box, as a combobox: keys move in it while the cursor stays in the box.

import { icon } from "../shared/icon.js";
import { say } from "../shared/say.js";

export class SuggestionList {
  /**
   * @param {HTMLInputElement} box
   * @param {HTMLElement} list
   * @param {{onOptions: () => object[], onChoose: (option: object) => void, onForget: (option: object) => void}} handlers
   *   `onOptions` gives the groups of suggestions.js
   */
  constructor(box, list, { onOptions, onChoose, onForget }) {
    this.box = box;
    this.list = list;
    Object.assign(this, { onOptions, onChoose, onForget });
    box.addEventListener("keydown", (event) => this.#pressed(event));
    box.addEventListener("blur", () => this.close());
    box.addEventListener("click", () => this.open());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the cursor stays in the box
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  #options = [];
  #active = -1;
  #wanted = false; // opened, be it that there was nothing to show, and not closed since

  /** Show what there is to suggest; nothing, if there is nothing. */
  open() {
    this.#wanted = true;
    const groups = this.onOptions();
    this.#options = groups.flatMap(({ options }) => options);
    this.#active = -1;
    let index = 0;
    this.list.replaceChildren(...groups.map((group, number) => drawn(group, number, () => index++)));
    this.#show(this.#options.length > 0);
  }

  close() {
    this.#wanted = false;
    this.#show(false);
  }

  /** There may be more to suggest now: for whoever still waits for it. */
  refresh() {
    if (this.#wanted) this.open();
  }

  get isOpen() {
    return !this.list.hidden;
  }

  #show(shown) {
    this.list.hidden = !shown;
    this.box.setAttribute("aria-expanded", shown);
    this.#mark();
  }

  #mark() {
    const items = this.list.querySelectorAll("[role=option]");
    items.forEach((item, index) => item.setAttribute("aria-selected", index === this.#active));
    const marked = this.isOpen ? items[this.#active] : undefined;
    if (marked) this.box.setAttribute("aria-activedescendant", marked.id);
    else this.box.removeAttribute("aria-activedescendant");
    marked?.scrollIntoView({ block: "nearest" });
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (event.altKey && event.key === "ArrowDown") this.open();
    else if (!this.isOpen || !this.#moved(event)) {
      if (["Enter", "Escape"].includes(event.key)) this.close();
      return;
    }
    event.preventDefault();
  }

  /** @returns {boolean} whether the key was for the list */
  #moved({ key, shiftKey, ctrlKey, metaKey }) {
    if (ctrlKey || metaKey) return false;
    const marked = this.#options[this.#active];
    if (key === "Escape") this.close();
    else if (key === "ArrowDown" || key === "ArrowUp") this.#step(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" && marked) this.#choose(marked);
    else if (key === "Delete" && shiftKey && marked?.list) this.#forget(marked);
    else return false;
    return true;
  }

  /** Round and round, by way of the box itself. */
  #step(step) {
    const places = this.#options.length + 1;
    this.#active = ((this.#active + 1 + step + places) % places) - 1;
    this.#mark();
  }

  #clicked(event) {
    const item = event.target.closest("[role=option]");
    if (!item) return;
    const option = this.#options[Number(item.dataset.index)];
    if (event.target.closest(".forget")) this.#forget(option);
    else this.#choose(option);
  }

  #choose(option) {
    this.close();
    this.onChoose(option);
  }

  #forget(option) {
    this.onForget(option);
    this.open();
  }
}

function drawn({ heading, options }, number, nextIndex) {
  const group = made("div", "suggested");
  group.setAttribute("role", "group");
  group.setAttribute("aria-labelledby", `suggested-${number}`);
  const title = made("p", "suggested-heading", heading);
  title.id = `suggested-${number}`;
  group.append(title, ...options.map((option) => row(option, nextIndex())));
  return group;
}

function row(option, index) {
  const item = made("div", "suggestion");
  item.id = `suggestion-${index}`;
  item.dataset.index = index;
  item.setAttribute("role", "option");
  item.append(icon(option.icon), made("span", "suggestion-text", option.text));
  if (option.list) {
    const forget = made("span", "forget");
    forget.title = say("query.forget");
    forget.append(icon("close"));
    item.append(forget);
  }
  return item;
}

function made(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
