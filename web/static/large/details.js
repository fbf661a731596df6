// What is known of the picture in the large view: facts that came with it at once; what is said of it, what its camera
// wrote, its tags and its duplicates when somebody looks, and stays.

import { RequestFailed, image } from "../shared/api.js";
import { writeFacts } from "../shared/facts.js";
import { formatBytes, formatDate, formatDecimal, formatDimensions } from "../shared/numbers.js";
import { say } from "../shared/say.js";
import { duplicates, exif } from "./requests.js";

const STAYS = 120; // ms: who leafs through quickly asks for none of it

export class Details {
  /**
   * @param {HTMLElement} panel
   * @param {{tags: import("./tags.js").Tags, others: import("./duplicates.js").Duplicates}} sections
   * @param {(said: string) => void} onCopied
   */
  constructor(panel, { tags, others }, onCopied) {
    Object.assign(this, { panel, tags, others, onCopied });
    this.#part("copy").addEventListener("click", () => this.#copy(this.#item.path, say("large.path_copied")));
    this.#part("copy-place").addEventListener("click", () => this.#copy(this.#place, say("large.place_copied")));
    for (const id of ["copy", "copy-place"]) this.#part(id).hidden = !navigator.clipboard; // on https and localhost only
  }

  #item = null;
  #place = "";
  #abort = null; // null: nobody has looked

  show(item) {
    this.close();
    this.#item = item;
    this.#part("large-name").textContent = item.name;
    this.#part("large-path").replaceChildren(...breakable(item.path));
    this.#showFile(item);
    writeFacts(this.#part("large-facts"), factsOf(item, null));
    this.#showSaid({ title: null, captions: [], keywords: [], companions: [] });
    this.#showExif(null);
    this.tags.begin(item);
    this.others.show(null);
  }

  /** The details are seen. */
  look() {
    if (!this.#item || this.#abort) return;
    this.#abort = new AbortController();
    this.#loadAll(this.#item, this.#abort.signal);
  }

  #showFile({ original_url: url, name, seconds }) {
    const [original, download] = [this.#part("original"), this.#part("download")];
    original.href = url;
    this.#part("original-name").textContent = say(seconds === null ? "large.original" : "large.original_video");
    download.href = url;
    download.download = name;
    download.hidden = seconds !== null; // it would be the whole video, by the name of a picture
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
    this.#item = null;
  }

  /** Each by itself: without an answer the others stand. */
  async #loadAll(item, signal) {
    await new Promise((stays) => setTimeout(stays, STAYS));
    if (signal.aborted) return;
    const seen = (show) => (answer) => signal.aborted || show(answer);
    const loads = [
      image(item.id, signal).then(seen((said) => this.#showSaid(said))),
      this.tags.load(signal),
      duplicates(item.id, signal).then(seen((group) => this.others.show(group))),
      item.seconds === null && exif(item.id, signal).then(seen((said) => this.#showExif(said))),
    ];
    for (const { reason } of await Promise.allSettled(loads)) {
      if (reason && !signal.aborted && !(reason instanceof RequestFailed)) throw reason;
    }
  }

  #showSaid({ title, captions, keywords, companions, rating = null }) {
    this.#part("large-title").textContent = title ?? "";
    this.#part("large-captions").replaceChildren(...captions.map((caption) => paragraph(caption)));
    writeFacts(this.#part("said-facts"), [
      [say("large.rating"), rating === null ? null : stars(rating)],
      [say("large.keywords"), keywords.map((keyword) => keyword.replaceAll("|", " › ")).join(", ")],
      [say("large.companions"), companions.map((path) => path.split(/[/\\]/).at(-1)).join(", ")],
    ]);
  }

  #showExif(said) {
    const known = said ? cameraFacts(said) : [];
    writeFacts(this.#part("camera-facts"), known);
    this.#part("camera-section").hidden = !known.some(([, value]) => value);
    const placed = said?.latitude != null;
    this.#part("place").hidden = !placed;
    this.#place = placed ? `${said.latitude}, ${said.longitude}` : "";
    this.#part("place-text").textContent = placed ? coordinates(said) : "";
  }

  #part(id) {
    return this.panel.querySelector(`#${id}`);
  }

  async #copy(text, done) {
    await navigator.clipboard.writeText(text);
    this.onCopied(done);
  }
}

/** A path that wraps after its slashes. */
function breakable(path) {
  return path.split(/(?<=[/\\])/).flatMap((part) => [part, document.createElement("wbr")]);
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function factsOf(item) {
  return [
    [say("large.taken"), item.taken_at && formatDate(item.taken_at)],
    [say("large.at_time"), item.seconds === null ? null : clock(item.seconds)],
    [say("large.dimensions"), formatDimensions(item.width, item.height)],
    [say("large.size"), formatBytes(item.size)],
    [say("large.format"), item.format.toUpperCase()],
    [say("large.camera"), item.camera],
  ];
}

function cameraFacts(said) {
  const lens = said.focal_length && say("large.millimetres", { value: formatDecimal(said.focal_length) });
  const equal = said.focal_length_35mm && said.focal_length_35mm !== Math.round(said.focal_length);
  return [
    [say("large.lens"), said.lens],
    [say("large.exposure"), said.exposure && exposure(said.exposure)],
    [say("large.aperture"), said.aperture && `ƒ/${formatDecimal(said.aperture)}`],
    [say("large.iso"), said.iso && String(said.iso)],
    [say("large.focal_length"), equal ? say("large.as_on_35mm", { lens, value: said.focal_length_35mm }) : lens],
    [say("large.exposure_bias"), said.exposure_bias ? `${signed(said.exposure_bias)} EV` : null],
    [say("large.flash"), said.flash === null ? null : say(said.flash ? "large.flash_fired" : "large.flash_off")],
    [say("large.software"), said.software],
    [say("large.artist"), said.artist],
    [say("large.copyright"), said.copyright],
  ];
}

/** Cameras set it in thirds. */
function signed(value) {
  const rounded = Math.round(value * 100) / 100;
  return rounded > 0 ? `+${formatDecimal(rounded)}` : formatDecimal(rounded);
}

/** As cameras write it: 1/250 s, and whole numbers from a third of a second on. */
function exposure(seconds) {
  const value = seconds < 0.3 ? `1/${Math.round(1 / seconds)}` : formatDecimal(seconds);
  return say("large.seconds", { value });
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const stars = (rating) => `${"★".repeat(rating)}${"☆".repeat(5 - rating)} ${say("large.stars", { count: rating })}`;

/** 48.85822° N, 2.2945° E · 35 m */
function coordinates({ latitude, longitude, altitude }) {
  const part = (degrees, [positive, negative]) => `${Math.abs(degrees).toFixed(5)}° ${degrees < 0 ? negative : positive}`;
  const place = `${part(latitude, [say("large.north"), say("large.south")])}, ${part(longitude, [say("large.east"), say("large.west")])}`;
  return altitude === null ? place : `${place} · ${say("large.metres", { value: Math.round(altitude) })}`;
}
