// How well the collection is: what its vector index was measured to find, and what the doctor finds quickly.

import { formatCount, formatDecimal } from "../shared/numbers.js";
import { say } from "../shared/say.js";
import { formatPercent } from "./job-words.js";
import { drawPlot } from "./plot.js";
import { drawRows, write } from "./rows.js";

const SEVERITIES = ["broken", "warning"];

export class IndexHealth {
  /** @param {{figure, svg, says, table, legend: Element}} elements */
  constructor(elements) {
    this.elements = elements;
    new ResizeObserver(() => this.#plot()).observe(elements.figure);
  }

  #index = null;

  show(index) {
    this.#index = index;
    const { figure, says, table, legend } = this.elements;
    const { calibration } = index;
    figure.hidden = calibration === null;
    write(says, calibration === null ? say("library.health.exact") : statement(calibration));
    if (calibration === null) return;
    legend.hidden = seriesOf(calibration).length < 2;
    table.replaceChildren(...calibration.curve.map((point) => rowOf(point, point.effort === calibration.chosen)));
    this.#plot();
  }

  #plot() {
    const calibration = this.#index?.calibration;
    if (!calibration || this.elements.figure.hidden) return;
    drawPlot(this.elements.svg, {
      series: seriesOf(calibration),
      x: { label: say("library.health.milliseconds"), format: formatDecimal },
      y: { format: formatPercent, most: 1 },
      line: { y: calibration.target, label: say("library.health.target", { share: formatPercent(calibration.target) }) },
    });
  }
}

function statement({ chosen, reached, curve }) {
  const point = curve.find(({ effort }) => effort === chosen);
  const values = { share: formatPercent(point.recall10_images), ms: formatDecimal(point.ms) };
  return say(reached ? "library.health.reached" : "library.health.not_reached", values);
}

function seriesOf({ curve, chosen }) {
  const series = (name, key) => ({
    name: say(`library.health.by.${name}`),
    points: curve
      .filter((point) => point[key] !== null)
      .map((point) => ({ x: point.ms, y: point[key], title: titleOf(point, point[key]), chosen: point.effort === chosen })),
  });
  return [series("images", "recall10_images"), series("texts", "recall10_texts")].filter(({ points }) => points.length);
}

const titleOf = ({ effort, ms }, share) =>
  say("library.health.point", { share: formatPercent(share), ms: formatDecimal(ms), effort });

function rowOf({ effort, recall10_images: images, recall10_texts: texts, ms }, chosen) {
  const row = document.createElement("tr");
  const cells = [formatCount(effort), formatPercent(images), texts === null ? "–" : formatPercent(texts), formatDecimal(ms)];
  row.classList.toggle("chosen", chosen);
  row.append(
    ...cells.map((text, place) => {
      const cell = document.createElement(place ? "td" : "th");
      if (!place) cell.scope = "row";
      cell.textContent = !place && chosen ? say("library.health.chosen", { effort }) : text;
      return cell;
    }),
  );
  return row;
}

/** What is wrong stands open, what is right is counted. @param {object[]} findings as `/api/health-report` has them */
export function showFindings({ list, says, template }, findings) {
  const wrong = findings
    .filter(({ severity }) => SEVERITIES.includes(severity))
    .sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity));
  const fine = findings.length - wrong.length;
  write(says, say(wrong.length ? "library.health.fine_beside" : "library.health.all_fine", { count: fine }));
  drawRows(list, wrong, {
    key: ({ check, message }) => `${check}: ${message}`,
    template,
    update: (row, { check, severity, message, remedy }) => {
      row.dataset.state = severity === "broken" ? "failed" : "warning";
      write(row.querySelector("h3"), check);
      write(row.querySelector(".state"), say(`library.health.severities.${severity}`));
      write(row.querySelector(".message"), message);
      write(row.querySelector(".remedy"), remedy ?? "");
    },
  });
}
