// A list of names and values, as `<dl>` wants it.

/** @param {HTMLDListElement} list @param {[string, string | null][]} facts those without a value are left out */
export function writeFacts(list, facts) {
  list.replaceChildren(
    ...facts
      .filter(([, value]) => value)
      .map(([name, value]) => {
        const pair = document.createElement("div");
        const term = document.createElement("dt");
        const definition = document.createElement("dd");
        term.textContent = name;
        definition.textContent = value;
        pair.append(term, definition);
        return pair;
      }),
  );
}
