// What fingers and the mouse do on an element: drags, pinches, wheel, and two taps in quick succession.
//
// Places are pixels from the middle of the element.

const STILL = { mouse: 3, touch: 8, pen: 6 }; // pixels that a press may move and be a tap
const TWICE = { within: 300, apart: 32 }; // ms and pixels between the taps of two
const REMEMBERED = 100; // ms of movement that the speed at its end is taken from
const PER_LINE = 16; // pixels that a wheel means by a line

/**
 * @param {HTMLElement} element what is done to buttons, links and a cropper in it is theirs
 * @param {{onDrag: (drag: Drag) => void, onDragEnd: (drag: Drag) => void, onTwice: (point: Point) => void,
 *   onPinch: (factor: number, point: Point, moved: Point) => void, onWheel: (factor: number, point: Point) => void}} does
 *
 * `Drag`: `{x, y}` since its beginning, `{stepX, stepY}` since the last call, `{speedX, speedY}` in pixels a ms, and the
 * `kind` of pointer.
 */
export function watchGestures(element, does) {
  const watcher = new Watcher(element, does);
  element.addEventListener("pointerdown", (event) => watcher.down(event));
  element.addEventListener("pointermove", (event) => watcher.move(event));
  element.addEventListener("pointerup", (event) => watcher.up(event));
  element.addEventListener("pointercancel", (event) => watcher.up(event, { cancelled: true }));
  element.addEventListener("dragstart", (event) => event.preventDefault()); // a picture is moved, not carried away
  element.addEventListener("wheel", (event) => watcher.wheel(event), { passive: false });
}

class Watcher {
  #pressed = new Map(); // pointer id -> its last place
  #drag = null; // of one pointer: where it began, and where it was lately
  #tap = null; // the last one: when and where

  constructor(element, does) {
    Object.assign(this, { element, does });
  }

  down(event) {
    if (event.button !== 0 || event.target.closest("button, a, input, .cropper")) return;
    this.#pressed.set(event.pointerId, this.#place(event));
    this.#begin(event);
  }

  move(event) {
    const before = this.#pressed.get(event.pointerId);
    if (!before) return;
    const others = this.#pair();
    this.#pressed.set(event.pointerId, this.#place(event));
    if (others) this.#pinched(others, this.#pair());
    else this.#dragged(event, before);
  }

  up(event, { cancelled = false } = {}) {
    if (!this.#pressed.delete(event.pointerId)) return;
    const drag = this.#drag;
    this.#drag = null;
    if (this.#pressed.size) this.#begin(event); // the finger that stays goes on with a drag
    else if (drag?.moved) this.does.onDragEnd({ ...this.#report(drag, event), ...(cancelled && { speedX: 0, speedY: 0, x: 0, y: 0 }) });
    else if (drag && !cancelled) this.#tapped(event);
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? PER_LINE : 1;
    const perPixel = event.ctrlKey ? 0.01 : 0.002; // with ctrl it is a pinch on a touch pad, in small steps
    this.does.onWheel(Math.exp(-event.deltaY * lines * perPixel), this.#place(event));
  }

  #begin(event) {
    const [place] = this.#pressed.values();
    const alone = this.#pressed.size === 1;
    this.#drag = alone ? { from: place, last: place, moved: event.type !== "pointerdown", lately: [] } : null;
  }

  #dragged(event, before) {
    const drag = this.#drag;
    if (!drag) return;
    const place = this.#place(event);
    if (!drag.moved && Math.hypot(place.x - drag.from.x, place.y - drag.from.y) < STILL[event.pointerType]) return;
    if (!drag.moved) this.element.setPointerCapture(event.pointerId);
    drag.moved = true;
    drag.lately = [...drag.lately.filter(({ at }) => event.timeStamp - at < REMEMBERED), { at: event.timeStamp, ...before }];
    this.does.onDrag(this.#report(drag, event));
    drag.last = place;
  }

  #report({ from, last, lately }, event) {
    const { x, y } = this.#place(event);
    const [first] = lately;
    const time = first ? Math.max(event.timeStamp - first.at, 1) : 1;
    return {
      kind: event.pointerType,
      x: x - from.x,
      y: y - from.y,
      stepX: x - last.x,
      stepY: y - last.y,
      speedX: first ? (x - first.x) / time : 0,
      speedY: first ? (y - first.y) / time : 0,
    };
  }

  #pinched(before, now) {
    const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    const spread = ([a, b]) => Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1);
    const [from, to] = [middle(before), middle(now)];
    this.does.onPinch(spread(now) / spread(before), to, { x: to.x - from.x, y: to.y - from.y });
  }

  #tapped(event) {
    const place = this.#place(event);
    const last = this.#tap;
    const quick = last && event.timeStamp - last.at < TWICE.within;
    const near = quick && Math.hypot(place.x - last.x, place.y - last.y) < TWICE.apart;
    this.#tap = near ? null : { at: event.timeStamp, ...place };
    if (near) this.does.onTwice(place);
  }

  #pair() {
    return this.#pressed.size === 2 ? [...this.#pressed.values()] : null;
  }

  #place({ clientX, clientY }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }
}
