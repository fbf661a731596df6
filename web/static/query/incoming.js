// Pictures to search with: dropped anywhere on the page, pasted, or picked (a phone offers its camera too). Several at once.

import { say } from "../shared/say.js";

const PICTURE = /\.(avif|bmp|gif|heic|heif|jfif|jpe?g|png|tiff?|webp)$/i; // where the system gives no type

/**
 * @param {{overlay: HTMLElement, pickers: [HTMLElement, HTMLInputElement][]}} elements
 * @param {{onPictures: (files: File[]) => void, onProblem: (message: string) => void}} handlers
 */
export function acceptPictures({ overlay, pickers }, { onPictures, onProblem }) {
  const take = (files) => {
    const pictures = Array.from(files).filter(isPicture);
    const other = Array.from(files).find((file) => !isPicture(file));
    if (other) onProblem(say("query.not_a_picture", { name: other.name }));
    if (pictures.length) onPictures(pictures);
  };
  for (const [button, input] of pickers) acceptPicked(button, input, take);
  acceptPasted(take);
  acceptDropped(overlay, take, onProblem);
}

function isPicture({ type, name }) {
  return type.startsWith("image/") || (!type && PICTURE.test(name));
}

function acceptPicked(button, input, take) {
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // so that picking the same file again is a change again
  });
}

function acceptPasted(take) {
  document.addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (!files.length) return; // text goes where the cursor is
    event.preventDefault();
    take(files);
  });
}

function acceptDropped(overlay, take, onProblem) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  let ours = false; // a drag that began on this page is not for us
  const show = (change) => {
    depth = change === 0 ? 0 : Math.max(depth + change, 0);
    overlay.togglePopover(depth > 0); // a popover, so that it lies above the large view
  };
  const foreign = (event) => !ours && ["Files", "text/uri-list"].some((type) => event.dataTransfer.types.includes(type));
  addEventListener("dragstart", () => (ours = true));
  addEventListener("dragend", () => (ours = false));
  addEventListener("dragenter", (event) => foreign(event) && show(1));
  addEventListener("dragleave", (event) => foreign(event) && show(-1));
  addEventListener("dragover", (event) => {
    if (!foreign(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    show(0);
    if (!foreign(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files.length) take(event.dataTransfer.files);
    else onProblem(say("query.link_dropped"));
  });
}
