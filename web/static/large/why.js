// Why the picture was found: how likely it matches, what it looks like and which words are known of it, and a bar for each
// part of the search, by which its map is asked for.

import { say } from "../shared/say.js";
import { formatLikely, formatList, formatScore } from "../shared/numbers.js";

const PERHAPS = 0.3;
/** From this probability on the words hold. */
const LIKELY = [
  [0.9, "sure"],
  [0.6, "likely"],
  [PERHAPS, "perhaps"],
  [0.1, "doubtful"],
  [0, "unlikely"],
];

const NAMED = 3; // tags that tell what a picture looks like

export class Why {
  /** @param {HTMLElement} section @param {import("./heat-map.js").HeatMap} heatMap */
  constructor(section, heatMap) {
    this.section = section;
    this.heatMap = heatMap;
    this.likely = section.querySelector("#why-likely");
    this.bars = section.querySelector("#why-bars");
    this.words = section.querySelector("#why-words");
    this.tags = section.querySelector("#why-tags");
  }

  #buttons = new Map(); // part -> its button

  /** @param {object} item a hit, or an image that no search found @param {import("./terms.js").Part[]} parts */
  show(item, parts) {
    const shares = item.shares?.length === parts.length ? item.shares : null;
    const rows = parts.map((part, index) => ({ part, share: shares?.[index] ?? null }));
    this.section.hidden = !rows.length;
    this.likely.textContent = item.probability == null ? "" : likelyInWords(item.probability, item.words ?? []);
    const most = Math.max(...rows.map(({ share }) => Math.abs(share ?? 0)), Number.EPSILON);
    this.#buttons.clear();
    this.bars.replaceChildren(...rows.map((row) => this.#bar(row, most)));
    this.words.replaceChildren(...(item.words ?? []).map(wordsLine));
    this.heatMap.show(item, mapped(rows));
  }

  /** @param {{name: string, list: string | null}[]} tags the likeliest first; those by hand say nothing of its looks */
  showTags(tags) {
    const names = tags.filter(({ list }) => list !== null).slice(0, NAMED).map(({ name }) => name);
    this.tags.textContent = names.length ? say("large.looks_like", { tags: formatList(names) }) : "";
  }

  /** Which part's map is on. */
  update() {
    for (const [part, button] of this.#buttons) button.setAttribute("aria-pressed", this.heatMap.shows(part));
  }

  #bar({ part, share }, most) {
    const row = document.createElement("li");
    const face = document.createElement(part.ask ? "button" : "div");
    face.className = "share";
    face.classList.toggle("against", share < 0);
    face.style.setProperty("--share", share === null ? 0 : Math.abs(share) / most);
    face.append(named("share-name", part.unwanted ? say("large.not_wanted", { what: part.label }) : part.label));
    if (share !== null) face.append(named("share-value", formatScore(share)));
    if (part.ask) {
      this.#buttons.set(part, face);
      face.type = "button";
      face.title = say("large.where_is", { what: part.label });
      face.addEventListener("click", () => this.heatMap.choose(part));
    }
    row.append(face);
    return row;
  }
}

/** Those parts that have maps, the one that gives most first. */
function mapped(rows) {
  const some = rows.filter(({ part }) => part.ask);
  return some.toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0)).map(({ part }) => part);
}

function likelyInWords(probability, words) {
  if (words.length && probability < PERHAPS) return say("large.match_words");
  const [, name] = LIKELY.find(([from]) => probability >= from);
  return say(`large.match_${name}`, { percent: formatLikely(probability) });
}

/** A text with words that were asked for; `spans` count code points. */
function wordsLine({ field, text, spans }) {
  const line = document.createElement("li");
  line.append(named("words-field", say(`large.in_${field}`)), " ");
  const characters = [...text];
  let place = 0;
  for (const [start, end] of spans) {
    const word = document.createElement("mark");
    word.textContent = characters.slice(start, end).join("");
    line.append(characters.slice(place, start).join(""), word);
    place = end;
  }
  line.append(characters.slice(place).join(""));
  return line;
}

function named(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
