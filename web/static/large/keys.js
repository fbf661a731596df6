// Keys of the large view. Those of the page behind it are in keyboard.js.

const PANNED = 0.2; // of the stage, by an arrow key

/** @param {import("./large-view.js").LargeView} view */
export function watchLargeKeys(view) {
  const plain = {
    "+": () => view.stage.zoom.step(1),
    "=": () => view.stage.zoom.step(1),
    "-": () => view.stage.zoom.step(-1),
    0: () => view.stage.zoom.reset(),
    Home: () => view.step(-Infinity),
    End: () => view.step(Infinity),
    "?": () => document.querySelector("#keys-help").showModal(),
    i: () => view.sheet.toggle(),
    w: () => view.heatMap.toggle(),
    m: () => view.does.onSimilar(view.item),
    p: () => view.choosePart(),
    r: () => view.mark("right"),
    n: () => view.mark("wrong"),
  };
  view.dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") escape(view, event);
    else if (isWriting(event.target)) return;
    else if (event.key.startsWith("Arrow")) arrow(view, event);
    else act(plain[event.key.length > 1 ? event.key : event.key.toLowerCase()], event);
  });
}

/** A key that is held goes on zooming, and does nothing else again and again. */
function act(does, event) {
  if (!does) return;
  event.preventDefault();
  if (!event.repeat || "+-=".includes(event.key)) does();
}

/** From what was done last: a text being written, the zoom, then the view, which the dialog closes by itself. */
function escape(view, event) {
  if (isWriting(event.target)) view.stage.element.focus({ preventScroll: true });
  else if (view.stage.zoom.zoomed) view.stage.zoom.reset();
  else return;
  event.preventDefault();
}

function arrow(view, event) {
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (view.stage.zoom.zoomed) {
    event.preventDefault();
    const { clientWidth, clientHeight } = view.stage.element;
    view.stage.zoom.move(-x * clientWidth * PANNED, -y * clientHeight * PANNED, { smooth: true });
  } else if (x) {
    event.preventDefault();
    const rightToLeft = getComputedStyle(view.dialog).direction === "rtl";
    view.step(rightToLeft ? -x : x);
  }
}

const isWriting = (element) => element.matches("input, textarea, select");
