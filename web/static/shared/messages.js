// Texts on their way to `web/text/en`.

import { formatCount } from "./numbers.js";

export const messages = {
  copied: "Path copied",
  largeProblem: "This picture cannot be shown. Was the file moved or removed?",
  why: {
    busy: "Looking where it matches…",
    shown: "Yellow: where the picture is most like the search.",
    flat: "No part of this picture stands out for this search.",
    failed: (reason) => `The map cannot be shown: ${reason}`,
  },
  position: (index, name) => `${formatCount(index + 1)}: ${name}`,
  stars: (rating) => (rating === 1 ? "1 star" : `${formatCount(rating)} stars`),

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
  },
};
