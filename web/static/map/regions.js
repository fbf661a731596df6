// The regions as a list of buttons: the map for whoever cannot see or point, and a way to get about for everybody.

import { say } from "../shared/say.js";

/** @param {HTMLElement} list @param {object[]} regions @param {(region: object) => void} onGo */
export function drawRegions(list, regions, onGo) {
  const large = regions.filter(({ level }) => level === 0).sort((a, b) => b.images - a.images);
  list.replaceChildren(
    ...large.map((region) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "region";
      button.textContent = region.name;
      button.title = say("common.pictures", { count: region.images });
      button.addEventListener("click", () => onGo(region));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}
