// Grey boxes in place of pictures that are on their way.

import { GAP } from "./arrangement.js";
import { justify } from "./layout.js";

const RATIOS = [1.5, 0.75, 1.33, 1.78, 1, 1.5, 0.67, 1.33, 1.5, 1.2, 1.78, 0.8];

/** Fill the element's width. */
export function drawSkeleton(element) {
  const pictures = Array.from({ length: 36 }, (_, index) => ({ width: RATIOS[index % RATIOS.length], height: 1 }));
  const { rows, boxes } = justify(pictures, element.clientWidth, { gap: GAP, ragged: false });
  element.replaceChildren(...rows.flatMap((row) => boxes.slice(row.start, row.end).map((box) => drawn(box, row))));
}

function drawn({ x, width }, { y, height }) {
  const box = document.createElement("span");
  box.style.insetInlineStart = `${x}px`;
  box.style.insetBlockStart = `${y}px`;
  box.style.inlineSize = `${width}px`;
  box.style.blockSize = `${height}px`;
  return box;
}
