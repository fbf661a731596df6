// Texts on their way to `web/text/en`, and how numbers and dates are written.

const language = document.documentElement.lang;
const integer = new Intl.NumberFormat(language);
const decimal = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const score = new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const percent = new Intl.NumberFormat(language, { style: "percent" });
const date = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });

const plural = (count) => (count === 1 ? "1 match" : `${integer.format(count)} matches`);
const pictures = (count) => (count === 1 ? "1 picture" : `${integer.format(count)} pictures`);

export const messages = {
  searchHint: "Search your pictures",
  refineHint: "Add words, if you like",
  recent: "Recently added",
  aPicture: "a picture",
  yourPicture: "Your picture",
  withText: (text) => `“${text}”`,
  similarTo: (name) => `Like ${name}`,
  withTextAndPicture: (text, name) => `“${text}” and ${name}`,

  pictures,
  searched: (count, seconds) => `${pictures(count)} searched in ${duration(seconds)}`,
  leftOut: (collections) => `Left out: ${collections.map(({ collection, reason }) => `${collection} (${reason})`).join(", ")}`,
  byTurns: "models take turns",
  answered: (matches, none, searched) => {
    if (!matches || !searched) return searched;
    return `${none ? "Nothing here matches for sure" : `About ${plural(matches.about)}`} · ${searched}`;
  },
  notAPicture: (name) => `${name} is not a picture.`,
  linkDropped: "That was a link and not a picture. Save the picture, then drop the file.",
  previewFailed: "The preview of this picture cannot be shown. Was the file moved or removed?",

  copied: "Path copied",
  largeProblem: "This picture cannot be shown. Was the file moved or removed?",
  why: {
    busy: "Looking where it matches…",
    shown: "Yellow: where the picture is most like the search.",
    flat: "No part of this picture stands out for this search.",
    failed: (reason) => `The map cannot be shown: ${reason}`,
  },
  position: (index, name) => `${integer.format(index + 1)}: ${name}`,
  indexCommand: (library) => `sightline index ~/Pictures --library ${library}`,
  stars: (rating) => (rating === 1 ? "1 star" : `${integer.format(rating)} stars`),

  facts: {
    match: "Match",
    likely: "Likely to match",
    dimensions: "Dimensions",
    size: "Size",
    format: "Format",
    taken: "Taken",
    camera: "Camera",
    title: "Title",
    captions: "Caption",
    keywords: "Keywords",
    rating: "Rating",
    companions: "Belongs to it",
    pictures: "Pictures",
    model: "Model",
    library: "Library",
  },
};

export const formatLikely = (value) => percent.format(value);
export const formatScore = (value) => score.format(value);
export const formatCount = (value) => integer.format(value);
export const formatDate = (iso) => date.format(new Date(iso));

export function formatDimensions(width, height) {
  const megapixels = (width * height) / 1e6;
  const size = `${integer.format(width)} × ${integer.format(height)}`;
  return megapixels < 0.1 ? size : `${size} · ${decimal.format(megapixels)} MP`;
}

/** Bytes in decimal units, as file managers and cameras count them. */
export function formatBytes(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${decimal.format(bytes / 1000 ** power)} ${units[power]}`;
}

function duration(seconds) {
  return seconds < 1 ? `${integer.format(Math.ceil(seconds * 1000))} ms` : `${decimal.format(seconds)} s`;
}
