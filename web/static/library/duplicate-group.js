// One group of duplicates: its pictures side by side, and in what they differ.

import { thumbnailUrl } from "../shared/api.js";
import { formatBytes } from "../shared/numbers.js";
import { referenceOf } from "../shared/reference.js";
import { language, say } from "../shared/say.js";
import { formatPercent } from "./job-words.js";

const MOST_APART = 50; // images of one decision, as the server takes them
const MOST_KEYS = 9;
const toTheSecond = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

/** One image of each content: copies of a file cannot be told apart. */
export const contentsOf = ({ images }) => images.filter((image) => image.copy_of === null);

/** @param {{group, member: HTMLTemplateElement}} templates @param {object} group as `/api/duplicates` has it */
export function drawGroup(article, templates, group) {
  const contents = contentsOf(group).length;
  const title = article.querySelector("h2");
  article.dataset.key = group.id;
  article.classList.toggle("settled", group.images.some(({ decided }) => decided));
  title.textContent = say(`duplicates.of_kind.${group.class}`);
  title.id = `group-${group.id}`;
  article.setAttribute("aria-labelledby", title.id);
  article.querySelector("header > .numbers").textContent = numbersOf(group);
  const apart = article.querySelector('[data-action="apart"]');
  apart.hidden = contents < 2 || contents > MOST_APART;
  apart.setAttribute("aria-label", say("duplicates.apart_as", { group: String(group.id) }));
  const common = commonFolder(group.images.map(({ path }) => path));
  const members = group.images.map((image, place) =>
    memberOf(templates.member, image, { place, group, common, divisible: contents > 2 && contents <= MOST_APART }),
  );
  article.querySelector(".members").replaceChildren(...members);
}

function numbersOf({ images, confidence, class: kind }) {
  const parts = [say("duplicates.numbers", { count: images.length })];
  if (kind !== "identical") parts.push(say("duplicates.alike", { share: formatPercent(confidence) }));
  return parts.join(" · ");
}

function memberOf(template, image, { place, group, common, divisible }) {
  const row = template.content.firstElementChild.cloneNode(true);
  const find = (name) => row.querySelector(name);
  row.dataset.id = image.id;
  row.classList.toggle("beside", !image.keep);
  drawPicture(find(".frame"), image);
  find("kbd").textContent = place < MOST_KEYS ? String(place + 1) : "";
  find(".name").textContent = image.name;
  find(".state").textContent = say("duplicates.suggested");
  find(".state").hidden = !image.keep || image.decided;
  find(".path").replaceChildren(common, emphasised(folderOf(image.path).slice(common.length)));
  find(".path").title = image.path;
  find(".marks").replaceChildren(...marksOf(image, group.images));
  drawActions(find, image, place, divisible && image.copy_of === null);
  return row;
}

function drawPicture(link, image) {
  link.href = `/#image=${referenceOf(image)}`;
  const picture = link.querySelector("img");
  Object.assign(picture, { src: thumbnailUrl(image, 320), alt: image.name, width: image.width, height: image.height });
}

function drawActions(find, { name, decided }, place, divisible) {
  const keep = find('[data-action="keep"]');
  const named = { number: place + 1, name };
  keep.textContent = say(decided ? "duplicates.kept" : "duplicates.keep");
  keep.setAttribute("aria-label", say(decided ? "duplicates.kept_as" : "duplicates.keep_as", named));
  keep.setAttribute("aria-pressed", String(decided));
  keep.classList.toggle("primary", decided);
  const outside = find('[data-action="outside"]');
  outside.hidden = !divisible;
  outside.setAttribute("aria-label", say("duplicates.outside_as", named));
}

/** Lines of what there is to compare. */
const MARKS = [
  [({ width, height }) => say("duplicates.mark.size", { width, height })],
  [({ size }) => formatBytes(size), ({ format }) => format.toUpperCase()],
  [({ taken_at: taken }) => (taken === null ? say("duplicates.mark.no_date") : toTheSecond.format(new Date(taken)))],
];

/** Heavier where they differ. */
function marksOf(image, images) {
  return MARKS.map((marks) => {
    const line = document.createElement("li");
    marks.forEach((mark, place) => {
      const differ = new Set(images.map(mark)).size > 1;
      line.append(place ? " · " : "", differ ? emphasised(mark(image)) : mark(image));
    });
    return line;
  });
}

function emphasised(text) {
  const strong = document.createElement("strong");
  strong.textContent = text;
  return strong;
}

const folderOf = (path) => path.slice(0, path.lastIndexOf("/") + 1);

/** The folders that all of these paths begin with, up to a slash. */
function commonFolder(paths) {
  const folders = paths.map(folderOf);
  let common = folders[0];
  while (!folders.every((folder) => folder.startsWith(common))) common = folderOf(common.slice(0, -1));
  return common;
}
