// What is being searched, and with which model: the corner of the header, its panel, and the note about `mini`.

import { formatCount, messages } from "./shared/messages.js";
import { writeFacts } from "./shared/facts.js";

const SMALL_MODEL = "mini";

/** @param {{images: number, model: string, library?: string}} stats */
export function showAbout({ images, model, library }) {
  const button = document.querySelector("#model");
  button.textContent = model;
  button.hidden = false;
  const { facts } = messages;
  writeFacts(document.querySelector("#about-facts"), [
    [facts.pictures, formatCount(images)],
    [facts.model, model],
    [facts.library, library ?? null],
  ]);
  if (library) document.querySelector("#index-command").textContent = messages.indexCommand(quoted(library));
  const small = model === SMALL_MODEL;
  document.querySelector("#about-mini").hidden = !small;
  document.querySelector("#mini-note").hidden = !small;
}

/** As a shell takes it for one word. */
function quoted(path) {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
