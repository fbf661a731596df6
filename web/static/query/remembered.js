// Searches that this browser remembers, and nobody else: the latest ones, and those saved by name.

const KEY = "sightline.searches";
const RECENT = 20;
const SAVED = 100;

export class Remembered {
  /** @returns {{address: string, name: string}[]} the latest first */
  get recent() {
    return read().recent;
  }

  /** @returns {{address: string, name: string}[]} the latest first */
  get saved() {
    return read().saved;
  }

  note(address, name) {
    change(({ recent, saved }) => ({ recent: onTop(recent, { address, name }, RECENT), saved }));
  }

  save(address, name) {
    change(({ recent, saved }) => ({ recent, saved: onTop(saved, { address, name }, SAVED) }));
  }

  /** The name that a search is saved under, or null. */
  nameOf(address) {
    return this.saved.find((other) => other.address === address)?.name ?? null;
  }

  /** @param {"recent" | "saved"} list */
  forget(list, address) {
    change((all) => ({ ...all, [list]: all[list].filter((other) => other.address !== address) }));
  }

  forgetRecent() {
    change(({ saved }) => ({ recent: [], saved }));
  }
}

const onTop = (list, search, most) =>
  [search, ...list.filter(({ address }) => address !== search.address)].slice(0, most);

/** What is not ours, or not there, is as if nothing had been searched for. */
function read() {
  try {
    const { recent, saved } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return { recent: valid(recent), saved: valid(saved) };
  } catch {
    return { recent: [], saved: [] };
  }
}

function valid(list) {
  const isSearch = (search) => typeof search?.address === "string" && typeof search.name === "string";
  return Array.isArray(list) ? list.filter(isSearch).filter(({ address }) => address.startsWith("/?")) : [];
}

function change(changed) {
  try {
    localStorage.setItem(KEY, JSON.stringify(changed(read())));
  } catch {
    // A browser may allow no storage: then nothing is remembered.
  }
}
