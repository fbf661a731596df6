// The page of duplicates: groups of a class, page by page, and what somebody says of them, which can be taken back.

import { canSay, say } from "../shared/say.js";
import { contentsOf, drawGroup } from "./duplicate-group.js";
import { watchKeys } from "./duplicate-keys.js";
import { Frame, part } from "./frame.js";
import { formatMoment } from "./job-words.js";
import { JobLine } from "./job-line.js";
import * as requests from "./requests.js";

const KINDS = ["all", "identical", "same", "crop", "burst", "look-alike"];
const DUPLICATES = KINDS.slice(1, 5);
const A_PAGE = 20;

class DuplicatesPage {
  #round = 0; // of asking: only the newest may show what it found
  #before = []; // where the pages before this one began
  #after = 0;
  #next = null;
  #groups = new Map(); // by the article that shows each
  #undone = []; // what can be taken back, the newest last: `{article, decision}`

  constructor() {
    this.frame = new Frame();
    this.templates = { group: part("group"), member: part("member") };
    this.list = part("groups");
    const kind = new URLSearchParams(location.search).get("class");
    this.kind = KINDS.includes(kind) ? kind : "all";
    this.job = new JobLine(part("job"), "deduplicate", {
      onEnd: () => this.#begin(),
      onFailure: (error) => this.frame.failed(error, () => this.job.open()),
    });
  }

  start() {
    this.frame.start();
    this.job.open();
    for (const id of ["look", "begin"]) {
      part(id).addEventListener("click", async ({ currentTarget }) => {
        await this.frame.attempt(() => requests.deduplicate(), currentTarget);
        this.job.look();
      });
    }
    part("undecided").addEventListener("change", () => this.#begin());
    part("next").addEventListener("click", () => this.#turn(1));
    part("back").addEventListener("click", () => this.#turn(-1));
    this.list.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-action]");
      if (button) this.#act(button.closest(".group"), button.dataset.action, button);
    });
    watchKeys(this.list, {
      onKeep: (article, place) => this.#act(article, "keep", article.querySelectorAll('[data-action="keep"]')[place]),
      onApart: (article) => this.#act(article, "apart", article.querySelector('[data-action="apart"]')),
      onUndo: () => this.#undo(this.#undone.at(-1)),
      onEnd: (step) => this.#turn(step),
    });
    this.#begin();
  }

  /** The first page of the class, and how many there are of each. */
  async #begin() {
    this.#before = [];
    this.#after = 0;
    await Promise.all([this.#count(), this.#load()]);
  }

  async #count() {
    try {
      const { groups, undecided, looked_at: looked } = await requests.duplicatesSummary();
      const counts = part("undecided").checked ? undecided : groups;
      this.looked = looked;
      this.total = Object.values(groups).reduce((sum, count) => sum + count, 0);
      this.#drawKinds({ ...counts, all: DUPLICATES.reduce((sum, kind) => sum + counts[kind], 0) });
    } catch (error) {
      this.frame.failed(error, () => this.#begin());
    }
  }

  #drawKinds(counts) {
    const focused = document.activeElement?.dataset?.kind;
    part("filters").hidden = part("look").hidden = !this.total;
    part("kinds").replaceChildren(...KINDS.map((kind) => this.#kindButton(kind, counts[kind])));
    if (focused) part("kinds").querySelector(`[data-kind="${focused}"]`).focus();
    part("kind-says").textContent = this.total ? say(`duplicates.says.${this.kind}`) : "";
    const others = part("others");
    others.hidden = !counts[this.kind] || this.kind === "look-alike";
    others.href = requests.othersAddress(this.kind);
    others.title = say("duplicates.others_of", { kind: say(`duplicates.kinds.${this.kind === "all" ? "same" : this.kind}`) });
  }

  #kindButton(kind, count) {
    const button = document.createElement("button");
    const number = document.createElement("span");
    button.type = "button";
    button.dataset.kind = kind;
    button.setAttribute("aria-pressed", String(kind === this.kind));
    number.className = "count";
    number.textContent = say("duplicates.number", { count });
    button.append(say(`duplicates.kinds.${kind}`), " ", number);
    button.addEventListener("click", () => this.#choose(kind));
    return button;
  }

  #choose(kind) {
    this.kind = kind;
    const query = new URLSearchParams(location.search);
    query.set("class", kind);
    history.replaceState(null, "", `?${query}`);
    this.#begin();
  }

  async #load() {
    const round = (this.#round += 1);
    this.list.setAttribute("aria-busy", "true");
    try {
      const asked = { kind: this.kind, undecided: part("undecided").checked, after: this.#after, limit: A_PAGE };
      const { groups, next_after: next } = await requests.duplicates(asked);
      if (round !== this.#round) return;
      this.#next = next;
      this.#show(groups);
    } catch (error) {
      if (round === this.#round) this.frame.failed(error, () => this.#load());
    } finally {
      if (round === this.#round) this.list.removeAttribute("aria-busy");
    }
  }

  #show(groups) {
    this.#groups.clear();
    this.#undone = [];
    this.list.replaceChildren(
      ...groups.map((group) => {
        const article = this.templates.group.content.firstElementChild.cloneNode(true);
        this.#draw(article, group);
        return article;
      }),
    );
    part("pages").hidden = this.#next === null && !this.#before.length;
    part("back").disabled = !this.#before.length;
    part("next").disabled = this.#next === null;
    part("hints").hidden = !groups.length;
    this.#sayNothing(groups.length === 0);
  }

  #draw(article, group) {
    this.#groups.set(article, group);
    drawGroup(article, this.templates, group);
  }

  async #sayNothing(nothing) {
    part("nothing").hidden = true;
    if (!nothing) return;
    if (this.total === undefined) await this.#count();
    const decided = part("undecided").checked && this.total > 0;
    const text = decided ? "none_left" : this.looked || this.total ? "none" : "never";
    part("nothing-title").textContent = say(`duplicates.nothing.${text}.title`);
    const moment = this.looked ? formatMoment(this.looked) : "";
    part("nothing-says").textContent = say(`duplicates.nothing.${text}.says`, { moment });
    part("begin").hidden = text !== "never";
    part("nothing").hidden = false;
  }

  /** @param {1 | -1} step */
  async #turn(step) {
    if (step > 0 ? this.#next === null : !this.#before.length) return;
    if (step > 0) this.#before.push(this.#after);
    this.#after = step > 0 ? this.#next : this.#before.pop();
    await this.#load();
    scrollTo({ top: 0 });
    (step > 0 ? this.list.firstElementChild : this.list.lastElementChild)?.focus();
  }

  async #act(article, action, button) {
    if (!button || button.hidden || article.classList.contains("gone")) return;
    if (action === "undo") return this.#undo(this.#undone.findLast((one) => one.article === article));
    const group = this.#groups.get(article);
    const image = group.images.find(({ id }) => String(id) === button.closest(".member")?.dataset.id);
    const decisions = {
      keep: () => ({ decision: "keep", images: [image.id], undo: image.decided }),
      apart: () => ({ decision: "apart", images: contentsOf(group).map(({ id }) => id) }),
      outside: () => ({
        decision: "outside",
        images: [image.id],
        others: contentsOf(group).filter(({ id }) => id !== image.id).map(({ id }) => id),
      }),
    };
    const decision = decisions[action]();
    if (!(await this.#decide(article, decision, button))) return;
    this.#undone.push({ article, decision });
    this.#tell(article, decision, image?.name);
  }

  async #undo(last) {
    if (!last) return;
    const { article, decision } = last;
    if (!(await this.#decide(article, { ...decision, undo: !decision.undo }, null))) return;
    this.#undone = this.#undone.filter((one) => one !== last);
    article.querySelector(".decided").hidden = true;
    article.focus();
  }

  /** Tell the server, and show the group as it is then: what is left of it, or a line that says it is none. */
  async #decide(article, decision, button) {
    const group = this.#groups.get(article);
    const there = await this.frame.attempt(() => requests.decide(decision, this.kind), button);
    if (there === null) return false;
    const ids = group.images.map(({ id }) => id);
    const left = there.find(({ images }) => images.some(({ id }) => ids.includes(id)));
    left?.images.sort((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id)); // nothing jumps under the hand
    article.classList.toggle("gone", !left);
    if (left) {
      const place = [...article.querySelectorAll("[data-action]")].indexOf(button);
      this.#draw(article, left);
      if (place >= 0) article.querySelectorAll("[data-action]")[place]?.focus();
    }
    if (!article.contains(document.activeElement)) article.focus();
    this.#count();
    return true;
  }

  #tell(article, { decision, undo }, name) {
    const key = `duplicates.decided.${undo ? "unkeep" : decision}`;
    article.querySelector(".decided span").textContent = canSay(key) ? say(key, { name }) : "";
    article.querySelector(".decided").hidden = false;
  }
}

new DuplicatesPage().start();
