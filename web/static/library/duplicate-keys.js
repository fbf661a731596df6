// Going through groups by keys: j and k from one to the next, digits keep a picture, n says that they are no duplicates,
// u takes the last decision back.

/**
 * @param {HTMLElement} list of `.group`s
 * @param {{onKeep: (group: HTMLElement, place: number) => void, onApart: (group: HTMLElement) => void,
 *   onUndo: () => void, onEnd: (step: 1 | -1) => void}} handlers `onEnd`: there is no further group on this page
 */
export function watchKeys(list, { onKeep, onApart, onUndo, onEnd }) {
  const current = () => document.activeElement?.closest?.(".group") ?? null;

  const step = (by) => {
    const from = current();
    if (from === null) return focus(list.querySelector(".group"));
    const to = by > 0 ? from.nextElementSibling : from.previousElementSibling;
    return to ? focus(to) : onEnd(by);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const group = current();
    const actions = {
      j: () => step(1),
      k: () => step(-1),
      ...(group && { ArrowDown: () => step(1), ArrowUp: () => step(-1), n: () => onApart(group) }),
      u: onUndo,
    };
    const action = group && /^[1-9]$/.test(event.key) ? () => onKeep(group, Number(event.key) - 1) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function focus(group) {
  group?.focus({ preventScroll: true });
  group?.scrollIntoView({ block: "nearest" });
}
