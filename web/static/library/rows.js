// Lists whose rows stay the same elements while what they show changes, so that focus and what is open are kept.

/**
 * @param {HTMLElement} list
 * @param {object[]} items in the order they are shown
 * @param {{key: (item: object) => unknown, template: HTMLTemplateElement,
 *   update: (row: HTMLElement, item: object) => void}} how
 */
export function drawRows(list, items, { key, template, update }) {
  const old = new Map(Array.from(list.children, (row) => [row.dataset.key, row]));
  const rows = items.map((item) => {
    const row = old.get(String(key(item))) ?? template.content.firstElementChild.cloneNode(true);
    row.dataset.key = key(item);
    update(row, item);
    return row;
  });
  for (const row of old.values()) if (!rows.includes(row)) row.remove();
  rows.forEach((row, place) => {
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
}

/** Show the buttons of these actions in a row, each named after what it acts on for those who hear the page. */
export function showActions(row, actions, of) {
  for (const button of row.querySelectorAll("[data-action]")) {
    button.hidden = !actions.includes(button.dataset.action);
    button.setAttribute("aria-label", `${button.textContent}: ${of}`);
  }
}

/** Calls back with the row's key and the action whose button was clicked. */
export function watchActions(list, onAction) {
  list.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-action]");
    if (button) onAction(button.closest(".row").dataset.key, button.dataset.action, button);
  });
}

/** Written only where it differs, so that screen readers are not told the same again. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
