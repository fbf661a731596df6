// The line icons of `templates/icons.html`, for what modules make.

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name of a symbol of the sprite, without `icon-` */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}
