// Numbers and dates, as the visitor's language writes them.

import { language } from "./say.js";

const integer = new Intl.NumberFormat(language);
const decimal = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const score = new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const percent = new Intl.NumberFormat(language, { style: "percent" });
const date = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
const list = new Intl.ListFormat(language, { type: "conjunction" });

const month = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" });

export const formatCount = (value) => integer.format(value);
export const formatDecimal = (value) => decimal.format(value);
export const formatScore = (value) => score.format(value);
export const formatLikely = (value) => percent.format(value);
export const formatDate = (iso) => date.format(new Date(iso));
/** Of `2023-07`. */
export const formatMonth = (text) => month.format(new Date(`${text}-01`));
export const formatList = (parts) => list.format(parts);

export function formatDimensions(width, height) {
  const megapixels = (width * height) / 1e6;
  const size = `${integer.format(width)} × ${integer.format(height)}`;
  return megapixels < 0.1 ? size : `${size} · ${decimal.format(megapixels)} MP`;
}

/** Bytes in decimal units, as file managers and cameras count them. */
export function formatBytes(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return withUnit(bytes / 1000 ** power, units[power]);
}

/** How long an answer took. */
export const formatSeconds = (seconds) =>
  seconds < 1 ? withUnit(Math.ceil(seconds * 1000), "millisecond") : withUnit(seconds, "second");

const withUnit = (value, unit) =>
  new Intl.NumberFormat(language, { style: "unit", unit, maximumSignificantDigits: 3 }).format(value);
