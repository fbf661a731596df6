// What may be meant, for what stands in the box so far.

import { say } from "../shared/say.js";

const SHOWN = { saved: 6, recent: 6, tag: 4, camera: 3, folder: 3 };
const FIELD = /^(-?)(tag|camera|folder):"?(.*)$/i;

/**
 * A group of suggestions: `{heading, options: {icon, text, list, address, box}[]}`. An option either leads to an `address`, which
 * is forgotten from the `list` it came from, or makes the box hold the text `box`.
 * @param {string} text of the box @param {{saved, recent: {address, name}[], tags, cameras, folders: string[]}} known
 */
export function suggest(text, known) {
  return (text ? whileTyping(text, known) : atFirst(known)).filter(({ options }) => options.length);
}

function atFirst({ saved, recent }) {
  return [
    { heading: say("query.saved_here"), options: searches("saved", saved) },
    { heading: say("query.recent_here"), options: searches("recent", recent) },
  ];
}

function whileTyping(text, { saved, recent, tags, cameras, folders }) {
  const sought = text.trim().toLowerCase();
  const holds = ({ name }) => name.toLowerCase().includes(sought);
  const kept = [...searches("saved", saved.filter(holds)), ...searches("recent", recent.filter(holds))].slice(0, 3);
  const [before, word] = splitLast(text);
  const [, not, field, part] = FIELD.exec(word) ?? [null, "", null, word];
  const wanted = (name) => field === null || field.toLowerCase() === name;
  const offered = (name, values) =>
    wanted(name) && (field !== null || part.length > 1) ? filters(name, matching(values, part), `${before}${not}${name}:`) : [];
  return [
    { heading: say("query.searches_here"), options: field === null ? kept : [] },
    {
      heading: say("query.filters"),
      options: [...offered("tag", tags), ...offered("camera", cameras), ...offered("folder", folders)],
    },
  ];
}

function searches(list, found) {
  const icon = list === "saved" ? "star" : "recent";
  return found.slice(0, SHOWN[list]).map(({ address, name }) => ({ icon, text: name, list, address }));
}

function filters(name, values, before) {
  return values.slice(0, SHOWN[name]).map((value) => ({
    icon: name,
    text: value,
    box: `${before}${/[\s"]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value} `,
  }));
}

/** Those with a word that begins so; a path may hold it anywhere. */
function matching(values, part) {
  const sought = part.toLowerCase();
  return values.filter((value) => ` ${value.toLowerCase()}`.split(/(?=[\s/])/).some((word) => word.slice(1).startsWith(sought)));
}

/** The word at the end, or all that follows a quote which is still open. */
function splitLast(text) {
  const [before, word] = /^(.*\s)?(\S*"[^"]*|\S*)$/s.exec(text).slice(1);
  return [before ?? "", word];
}
