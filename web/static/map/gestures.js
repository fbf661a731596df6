// Moving about by wheel, drag, pinch and keys.

import { SIDE } from "./camera.js";

const STEP = 80; // pixels an arrow key moves
const CLOSER = 1.5; // a key or button zooms by
const STILL = 5; // pixels a finger may wander while it taps

/**
 * @param {HTMLElement} element
 * @param {Camera} camera
 * @param {{onMove: () => void, onPick: (left: number, top: number, reach?: number) => void,
 *   onPoint: (left: number, top: number) => void}} handlers places are in pixels of the element; Enter picks what is
 *   nearest to the middle, however far
 */
export function watchGestures(element, camera, { onMove, onPick, onPoint }) {
  watchWheel(element, camera, onMove);
  watchPointers(element, camera, { onMove, onPick, onPoint });
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") onPick(camera.width / 2, camera.height / 2, Infinity);
    else if (moved(camera, event.key)) onMove();
    else return;
    event.preventDefault();
  });
}

/** @returns {boolean} whether the key is one of ours */
function moved(camera, key) {
  const steps = {
    ArrowLeft: () => camera.pan(STEP, 0),
    ArrowRight: () => camera.pan(-STEP, 0),
    ArrowUp: () => camera.pan(0, STEP),
    ArrowDown: () => camera.pan(0, -STEP),
    "+": () => camera.zoomAt(CLOSER),
    "=": () => camera.zoomAt(CLOSER),
    "-": () => camera.zoomAt(1 / CLOSER),
    0: () => showAll(camera),
  };
  if (!Object.hasOwn(steps, key)) return false;
  steps[key]();
  return true;
}

export const showAll = (camera) => camera.look({ x: SIDE / 2, y: SIDE / 2, zoom: 1 });

export const zoomBy = (camera, closer) => camera.zoomAt(closer ? CLOSER : 1 / CLOSER);

function watchWheel(element, camera, onMove) {
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const faster = event.ctrlKey ? 4 : 1; // a pinch on a touchpad comes as a wheel with Ctrl, in small steps
      camera.zoomAt(Math.exp((-event.deltaY * lines * faster) / 500), ...placeOf(event, element));
      onMove();
    },
    { passive: false },
  );
}

function watchPointers(element, camera, { onMove, onPick, onPoint }) {
  const down = new Map(); // pointer -> where it is
  let wandered = 0; // pixels since the first came down
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (!down.size) wandered = 0;
    down.set(event.pointerId, placeOf(event, element));
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const [left, top] = placeOf(event, element);
    const before = down.get(event.pointerId);
    if (!before) {
      onPoint(left, top);
      return;
    }
    wandered += Math.hypot(left - before[0], top - before[1]);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, [left, top]);
    if (wandered < STILL && !other) return;
    if (other) pinch(camera, before, [left, top], other);
    else camera.pan(left - before[0], top - before[1]);
    onMove();
  });
  const up = (event) => {
    const place = down.get(event.pointerId);
    down.delete(event.pointerId);
    if (place && event.type === "pointerup" && wandered < STILL && !down.size) onPick(...place);
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
}

/** One of two fingers has moved: what was under each of them stays under it, as far as that can be. */
function pinch(camera, before, now, other) {
  const apart = ([left, top]) => Math.hypot(left - other[0], top - other[1]);
  const middle = ([left, top]) => [(left + other[0]) / 2, (top + other[1]) / 2];
  const [from, to] = [middle(before), middle(now)];
  camera.pan(to[0] - from[0], to[1] - from[1]);
  if (apart(before) > 0) camera.zoomAt(apart(now) / apart(before), ...to);
}

function placeOf(event, element) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
