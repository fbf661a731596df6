// The page of the map, composed.

import { referenceOf } from "../shared/reference.js";
import { say } from "../shared/say.js";
import { Frame, part } from "../library/frame.js";
import { collection } from "../library/requests.js";
import { Remembered, viewOf } from "./address.js";
import { Camera } from "./camera.js";
import { Card } from "./card.js";
import { Drawing } from "./drawing.js";
import { showAll, watchGestures, zoomBy } from "./gestures.js";
import { MakingOf } from "./making.js";
import { Points } from "./points.js";
import { drawRegions } from "./regions.js";
import * as requests from "./requests.js";
import { Thumbnails } from "./thumbnails.js";

const CLOSE = 12; // times closer, where a region is shown that somebody went to

class MapPage {
  #points = null;
  #version = null;
  #asked = null; // the search under way

  constructor() {
    this.frame = new Frame();
    this.camera = new Camera();
    this.thumbnails = new Thumbnails(requests.thumbnail, () => this.drawing.draw());
    this.drawing = new Drawing(part("canvas"), this.camera, this.thumbnails);
    this.card = new Card(part("card"), () => this.#choose(-1));
    this.remembered = new Remembered();
    this.making = new MakingOf(this.frame, () => this.#load());
  }

  start() {
    this.frame.start();
    watchGestures(part("canvas"), this.camera, {
      onMove: () => this.#moved(),
      onPick: (left, top, reach) => this.#choose(this.drawing.at(left, top, reach)),
      onPoint: (left, top) => part("canvas").classList.toggle("on-picture", this.drawing.at(left, top) >= 0),
    });
    part("closer").addEventListener("click", () => this.#go(() => zoomBy(this.camera, true)));
    part("farther").addEventListener("click", () => this.#go(() => zoomBy(this.camera, false)));
    part("whole").addEventListener("click", () => this.#go(() => showAll(this.camera)));
    part("find").addEventListener("submit", (event) => this.#find(event));
    part("find-clear").addEventListener("click", () => this.#clear());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#choose(-1));
    new ResizeObserver(() => this.drawing.resize()).observe(part("canvas"));
    const restyle = () => this.#points && this.drawing.restyle();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
    new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    addEventListener("hashchange", () => this.#go(() => this.camera.look(viewOf(location.hash))));
    this.camera.look(viewOf(location.hash));
    this.#load();
  }

  async #load() {
    const map = await this.frame.attempt(() => requests.map());
    if (map === null) return;
    this.making.show(map);
    part("map").hidden = part("find").hidden = map.version === null;
    part("about-map").textContent = map.version === null ? "" : this.#about(map);
    if (map.version === null || map.version === this.#version) return;
    const buffer = await this.frame.attempt(() => requests.points(map.version));
    if (buffer === null) return;
    this.#version = map.version;
    this.#points = new Points(buffer);
    this.drawing.resize();
    this.drawing.show(this.#points, map.regions);
    drawRegions(part("regions"), map.regions, ({ x, y }) => this.#go(() => this.camera.look({ x, y, zoom: CLOSE })));
    const words = new URLSearchParams(location.search).get("q");
    if (words) this.#light((part("find-words").value = words));
  }

  #about({ shown, images }) {
    return shown < images ? say("map.some", { count: shown, images }) : say("common.pictures", { count: shown });
  }

  #go(move) {
    move();
    this.#moved();
  }

  #moved() {
    this.drawing.draw();
    this.remembered.note(this.camera);
  }

  async #choose(index) {
    this.drawing.chosen = index;
    this.drawing.draw();
    if (index < 0) {
      this.card.hide();
      return;
    }
    const id = this.#points.ids[index];
    const image = await this.frame.attempt(() => requests.image(id));
    if (image === null || this.drawing.chosen !== index) return;
    this.card.show(image, requests.thumbnail(id), referenceOf({ id, collection }));
  }

  #find(event) {
    event.preventDefault();
    const words = part("find-words").value.trim();
    if (!words) return this.#clear();
    history.replaceState(history.state, "", addressOf(words));
    return this.#light(words);
  }

  #clear() {
    this.#asked?.abort();
    part("find-words").value = "";
    this.#lit(null);
    part("lit").textContent = "";
    history.replaceState(history.state, "", addressOf(""));
  }

  /** Show where on the map the pictures are that words find. */
  async #light(words) {
    if (!this.#points) return; // once they are here, the words of the address are asked for
    this.#asked?.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    const ids = await this.frame.attempt(() => requests.found(words, this.#points.count, signal).catch((error) => aborted(error)));
    if (!ids || signal.aborted) return;
    const lit = new Set(ids.map((id) => this.#points.indexOf(id)).filter((index) => index >= 0));
    this.#lit(lit);
    part("lit").textContent = say("map.lit", { count: lit.size });
  }

  #lit(lit) {
    this.drawing.lit = lit;
    part("find-clear").hidden = lit === null;
    this.drawing.draw();
  }
}

function aborted(error) {
  if (error.name !== "AbortError") throw error;
  return null;
}

function addressOf(words) {
  const query = new URLSearchParams(location.search);
  if (words) query.set("q", words);
  else query.delete("q");
  return `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`;
}

new MapPage().start();
