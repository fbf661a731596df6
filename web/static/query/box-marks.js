// What was recognised, tinted where it stands in the box: the same text once more behind the input, with marks in it.

export class BoxMarks {
  /** @param {HTMLInputElement} box @param {HTMLElement} layer behind it, in the same type */
  constructor(box, layer) {
    this.box = box;
    this.layer = layer;
    box.addEventListener("input", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  #text = "";
  #chips = [];

  /** @param {object[]} chips of an answer @param {string} text which the box held when it was asked */
  show(chips, text) {
    this.#text = text;
    this.#chips = chips;
    this.#draw();
  }

  #draw() {
    const value = this.box.value;
    const fits = this.box.scrollWidth <= this.box.clientWidth; // a longer text scrolls, and nobody tells how far
    const parts = [];
    let drawn = 0;
    for (const [start, end] of fits ? this.#spans(value) : []) {
      const mark = document.createElement("mark");
      mark.textContent = value.slice(start, end);
      parts.push(value.slice(drawn, start), mark);
      drawn = end;
    }
    this.layer.replaceChildren(...parts);
  }

  /** Of the chips that still stand where they stood, as more is typed behind them. */
  #spans(value) {
    const indent = value.length - value.trimStart().length;
    const length = (points) => points.join("").length; // the server counts code points, strings count UTF-16 units
    const points = Array.from(this.#text);
    return this.#chips
      .map(({ start, end }) => [length(points.slice(0, start)), length(points.slice(0, end))])
      .filter(([, end]) => value.slice(indent, indent + end) === this.#text.slice(0, end))
      .filter(([, end]) => /^(\s|$)/.test(value.slice(indent + end)))
      .map(([start, end]) => [start + indent, end + indent])
      .sort(([a], [b]) => a - b);
  }
}
