// What the page says: the texts lie in it as JSON, in the visitor's language. `web/text/en` holds the English ones.

export const language = document.documentElement.lang;
const texts = JSON.parse(document.querySelector("#texts").textContent);
const plurals = new Intl.PluralRules(language);
const number = new Intl.NumberFormat(language);

/**
 * @param {string} key `section.name`
 * @param {Record<string, unknown>} values for the `{names}` in it; numbers are written as the language writes them, and
 *   `count` chooses between plural forms
 * @returns {string}
 */
export function say(key, values = {}) {
  let found = key.split(".").reduce((section, name) => section?.[name], texts);
  if (found === undefined) throw new Error(`there is no text ${key}`);
  if (typeof found === "object") found = found[plurals.select(values.count)] ?? found.other;
  return found.replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** Whether there is such a text: for names that come from the server, such as states. */
export const canSay = (key) => key.split(".").reduce((section, name) => section?.[name], texts) !== undefined;

const written = (value) => (typeof value === "number" ? number.format(value) : String(value));
