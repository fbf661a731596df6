// What is being searched, and with which model: the corner of the header, its panel, and the note about `mini`.

import { writeFacts } from "./shared/facts.js";
import { formatCount } from "./shared/numbers.js";
import { say } from "./shared/say.js";

const SMALL_MODEL = "mini";

/** @param {{images: number, model: string, library?: string}} stats */
export function showAbout({ images, model, library }) {
  const button = document.querySelector("#model");
  button.textContent = model;
  button.setAttribute("aria-label", say("search.about_of", { model }));
  button.hidden = false;
  writeFacts(document.querySelector("#about-facts"), [
    [say("search.about_pictures"), formatCount(images)],
    [say("search.about_model"), model],
    [say("search.about_library"), library ?? null],
  ]);
  if (library) document.querySelector("#index-command").textContent = say("search.index_command", { library: quoted(library) });
  const small = model === SMALL_MODEL;
  document.querySelector("#about-mini").hidden = !small;
  document.querySelector("#mini-note").hidden = !small;
}

/** As a shell takes it for one word. */
function quoted(path) {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
