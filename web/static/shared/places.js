// Where the visitor is and was: the address bar, and for each entry of the history how far it was scrolled.

export class Places {
  /** @param {() => void} onReturn the visitor went back or forward, and the address is another */
  constructor(onReturn) {
    history.scrollRestoration = "manual"; // the pictures of another entry are not there yet when the browser scrolls
    addEventListener("popstate", onReturn);
  }

  /** For a reload: where the grid was, or null. */
  get remembered() {
    return history.state?.place ?? null;
  }

  /** Whether going back closes the large view, as opening it is what the newest entry did. */
  get opened() {
    return Boolean(history.state?.opened);
  }

  /** @param {{replace: boolean, opened: boolean}} how `replace`: the newest entry becomes this; `opened`: a large view */
  go(address, { replace, opened }) {
    if (address === location.pathname + location.search + location.hash) return;
    if (replace) history.replaceState({ opened: opened && this.opened }, "", address);
    else history.pushState({ opened }, "", address);
  }

  /** The same entry is called otherwise. */
  rename(address) {
    history.replaceState(history.state, "", address);
  }

  /** @param {object | null} place as the grid tells it */
  remember(place) {
    history.replaceState({ ...history.state, place }, "");
  }
}
