// What can be typed, by examples that go into the box when they are pressed.

/** @param {HTMLDialogElement} dialog @param {(text: string) => void} onExample */
export function watchGuide(dialog, onExample) {
  dialog.addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (example || event.target === dialog) dialog.close();
    if (example) onExample(example.dataset.example);
  });
}
