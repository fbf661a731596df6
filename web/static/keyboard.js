// Keys that work everywhere on the page. Those of the grid and of the large view are with them.

/** @param {{query: Query, grid: Grid, help: HTMLDialogElement, button: HTMLElement}} page */
export function watchKeys({ query, grid, help, button }) {
  button.addEventListener("click", () => help.showModal());
  help.addEventListener("click", (event) => event.target === help && help.close());
  query.box.words.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || event.isComposing || event.defaultPrevented) return;
    event.preventDefault();
    grid.focus(grid.active);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    if (document.querySelector("dialog:modal")) return;
    if (event.key === "/") {
      event.preventDefault();
      query.focus();
    } else if (event.key === "?") {
      event.preventDefault();
      help.showModal();
    }
  });
}

const isWriting = (element) => element.matches?.("input, textarea, select, [contenteditable]") ?? false;
