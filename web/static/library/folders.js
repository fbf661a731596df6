// Where the pictures come from, whether it is there now, and indexing it again.

import { say } from "../shared/say.js";
import { formatMoment } from "./job-words.js";
import { drawRows, showActions, watchActions, write } from "./rows.js";

export class FolderList {
  /** @param {(folder: string, button: HTMLElement) => void} onIndex */
  constructor(list, template, onIndex) {
    this.list = list;
    this.template = template;
    watchActions(list, (folder, _, button) => onIndex(folder, button));
  }

  /** @param {object[]} roots as `/api/stats` has them @param {string[]} startable folders that may be indexed from here */
  show(roots, startable) {
    const paths = roots.map(({ path }) => path);
    const others = startable.filter((path) => !paths.includes(path)).map((path) => ({ path, state: "", reason: "" }));
    drawRows(this.list, [...roots, ...others], {
      key: ({ path }) => path,
      template: this.template,
      update: (row, root) => update(row, root, startable.includes(root.path)),
    });
  }
}

function update(row, { path, state, reason, synced_at: synced }, may) {
  const offline = state === "offline";
  row.dataset.state = state;
  write(row.querySelector(".of"), path);
  write(row.querySelector(".numbers"), reason || (synced ? say("library.folders.synced", { moment: formatMoment(synced) }) : ""));
  write(row.querySelector(".state"), offline ? say("library.folders.offline") : "");
  row.querySelector(".state").hidden = !offline;
  showActions(row, may ? ["index"] : [], path);
}
