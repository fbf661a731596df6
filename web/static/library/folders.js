// Where the pictures come from, whether it is there now, and indexing it again.

import { say } from "../shared/say.js";
import { formatMoment } from "./job-words.js";
import { drawRows, showActions, watchActions, write } from "./rows.js";

/** Whether a source may be indexed from here. @param {object} startable as `/api/startable` has it */
export const mayIndex = ({ folders, sources }, { path, kind }) =>
  kind === "folder" ? folders.includes(path) : sources.some((source) => source.path === path && source.kind === kind);

export class FolderList {
  /** @param {(path: string, kind: string, button: HTMLElement) => void} onIndex */
  constructor(list, template, onIndex) {
    this.list = list;
    this.template = template;
    watchActions(list, (_, __, button) => {
      const { path, kind } = button.closest(".row").dataset;
      onIndex(path, kind, button);
    });
  }

  /** @param {object[]} roots as `/api/stats` has them */
  show(roots, startable) {
    const known = new Set(roots.map(keyOf));
    const named = [...startable.folders.map((path) => ({ path, kind: "folder" })), ...startable.sources];
    const others = named.filter((source) => !known.has(keyOf(source))).map((source) => ({ ...source, state: "", reason: "" }));
    drawRows(this.list, [...roots, ...others], {
      key: keyOf,
      template: this.template,
      update: (row, root) => update(row, root, mayIndex(startable, root)),
    });
  }
}

const keyOf = ({ path, kind }) => `${kind}:${path}`;

function update(row, { path, kind, state, reason, synced_at: synced }, may) {
  const offline = state === "offline";
  const looked = synced && say("library.folders.synced", { moment: formatMoment(synced) });
  const named = kind !== "folder" && say(`library.folders.kinds.${kind}`);
  Object.assign(row.dataset, { state, path, kind });
  write(row.querySelector(".of"), path);
  write(row.querySelector(".numbers"), reason || [named, looked].filter(Boolean).join(" · "));
  write(row.querySelector(".state"), offline ? say("library.folders.offline") : "");
  row.querySelector(".state").hidden = !offline;
  showActions(row, may ? ["index"] : [], path);
}
