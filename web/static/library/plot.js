// A plot of points joined by lines, as SVG: one or two series over one axis, each point with a title, one of them chosen.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { top: 16, end: 20, bottom: 44, start: 52 }; // px
const HEIGHT = 240;
const TICKS = 4; // about

/**
 * @param {SVGSVGElement} svg of a size of its own; drawn for its width
 * @param {{series: {name: string, points: {x: number, y: number, title: string, chosen: boolean}[]}[],
 *   x: {label: string, format: (value: number) => string}, y: {label: string, format: (value: number) => string, most: number},
 *   line: {y: number, label: string}}} plot `line`: a level to reach
 */
export function drawPlot(svg, { series, x, y, line }) {
  const width = Math.max(svg.clientWidth, 240);
  const points = series.flatMap((one) => one.points);
  const xs = scale(0, Math.max(...points.map((point) => point.x)), MARGIN.start, width - MARGIN.end);
  const ys = scale(Math.min(line.y, ...points.map((point) => point.y)), y.most, HEIGHT - MARGIN.bottom, MARGIN.top);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.replaceChildren(
    ...ys.ticks.flatMap((value) => [
      make("line", { class: "rule", x1: MARGIN.start, x2: width - MARGIN.end, y1: ys.at(value), y2: ys.at(value) }),
      make("text", { x: MARGIN.start - 8, y: ys.at(value), class: "tick before" }, y.format(value)),
    ]),
    ...xs.ticks.map((value) => make("text", { x: xs.at(value), y: HEIGHT - MARGIN.bottom + 18, class: "tick below" }, x.format(value))),
    make("text", { x: (MARGIN.start + width - MARGIN.end) / 2, y: HEIGHT - 6, class: "tick below" }, x.label),
    make("line", { class: "target", x1: MARGIN.start, x2: width - MARGIN.end, y1: ys.at(line.y), y2: ys.at(line.y) }),
    make("text", { x: MARGIN.start + 4, y: ys.at(line.y) + 14, class: "tick" }, line.label),
    ...series.flatMap((one, place) => drawSeries(one, place, xs, ys)),
  );
}

function drawSeries({ name, points }, place, xs, ys) {
  const path = points.map((point) => `${xs.at(point.x)},${ys.at(point.y)}`).join(" ");
  return [
    make("polyline", { class: `series series-${place}`, points: path }),
    ...points.map((point) => {
      const r = point.chosen ? 6 : 3.5;
      const shape = place
        ? { d: square(xs.at(point.x), ys.at(point.y), r) }
        : { d: circle(xs.at(point.x), ys.at(point.y), r) }; // told apart without colours
      const dot = make("path", { class: `dot series-${place}${point.chosen ? " chosen" : ""}`, ...shape });
      dot.append(make("title", {}, `${name}: ${point.title}`));
      return dot;
    }),
  ];
}

const circle = (x, y, r) => `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
const square = (x, y, r) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;

/** From values to pixels, with round ticks between. */
function scale(from, to, start, end) {
  const step = roundStep((to - from || 1) / TICKS);
  const low = Math.floor(from / step + 1e-9) * step;
  const high = Math.max(to, low + step);
  const ticks = [];
  for (let tick = low; tick <= high + step * 1e-6; tick += step) ticks.push(tick);
  return { ticks, at: (value) => start + ((value - low) / (high - low)) * (end - start) };
}

/** 1, 2 or 5 times a power of ten. */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least * 0.999);
}

function make(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}
