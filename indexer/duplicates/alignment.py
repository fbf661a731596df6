"""Whether one picture is another, or a part of it: where in the other it correlates best, and how well.

Template matching by normalised correlation, on the 32 x 32 grey fingerprints. Of a picture (the scene) windows of many
places and sizes are averaged down to few cells and compared with all of the other (the template), coarsely first: only
what agrees there is fitted more finely. Correlation does not see brightness and contrast. What it sees most is large
shapes, and two shoes on white have the same: so the details, what is left without the local mean, are correlated, too.
Colours are compared afterwards, in `colours.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from indexer.duplicates.fingerprints import SIDE, Greys
from indexer.lookahead import look_ahead

Floats = NDArray[np.float32]
Boxes = NDArray[np.float32]
"""`(n, 4)`: left, top, width and height of the window in the scene, in fractions of it."""

SMALLEST: Final = 0.42
"""Share of the scene that a window has at least: somewhat below the half that a crop is promised to be found by."""
_SIZES: Final = (1.0, 0.9, 0.8, 0.71, 0.63, 0.56, 0.5)
"""Sides of windows, a step of an eighth apart."""
_CELLS, _FINE_CELLS = 8, 16
_FLAT = 2.0
"""Standard deviation in grey levels: a window below it is sky or a wall, and correlates by its noise."""
_STRETCHED = 0.15
"""How much, in the logarithm, a window's shape may be off what the shapes of both pictures say it has."""
_SCENES = 32
_PAIRS = 256
_ROUNDS = ((0.06, 1 / 32), (0.03, 1 / 64), (0.015, 1 / 128))
"""Steps of size (in the logarithm) and of place that are tried around the best window so far."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """Of pairs of a template and a scene."""

    scores: Floats
    """Correlation, -1 to 1."""
    boxes: Boxes
    details: Floats
    """Correlation of the details; of a rough alignment NaN."""


def align_roughly(
    greys: Greys, template: NDArray[np.int64], scene: NDArray[np.int64], shape: Floats, check: Callable[[], None]
) -> Aligned:
    """For each pair of rows of `(n, 32, 32)` the best of a fixed set of windows.

    `shape` is the logarithm of how much wider, for its height, the template is than the scene: a crop's window has that
    shape in fractions of the scene. The whole scene is tried whatever the shapes: a picture may have been stretched.
    """
    scores, boxes = np.full(len(template), -1, np.float32), np.zeros((len(template), 4), np.float32)
    bank = _Bank()
    order = np.argsort(scene, kind="stable")
    scenes, first = np.unique(scene[order], return_index=True)
    last = np.append(first[1:], len(order))

    def look(start: int) -> None:
        some = slice(start, start + _SCENES)
        for patches, begin, end in zip(bank.patches(greys[scenes[some]]), first[some], last[some], strict=True):
            pairs = order[begin:end]
            found = patches @ _whole(greys[template[pairs]], _CELLS).T
            found[~bank.allowed(shape[pairs])] = -1
            best = found.argmax(axis=0)
            scores[pairs], boxes[pairs] = found[best, np.arange(len(pairs))], bank.boxes[best]

    _in_threads(look, range(0, len(scenes), _SCENES), check)
    return Aligned(scores, boxes, np.full(len(scores), np.nan, np.float32))


def align_finely(
    greys: Greys,
    template: NDArray[np.int64],
    scene: NDArray[np.int64],
    shape: Floats,
    boxes: Boxes,
    check: Callable[[], None],
) -> Aligned:
    """For each pair the best window near the one that is given, at four times as many cells."""
    scores, details = np.empty((2, len(template)), np.float32)
    found = np.empty((len(template), 4), np.float32)

    def fit(start: int) -> None:
        some = slice(start, start + _PAIRS)
        wanted = _whole(greys[template[some]], _FINE_CELLS)
        scenes = greys[scene[some]].astype(np.float32)
        scores[some], found[some], details[some] = _fitted(wanted, scenes, _Windows.of(boxes[some], shape[some]))

    _in_threads(fit, range(0, len(template), _PAIRS), check)
    return Aligned(scores, found, details)


def _in_threads(work: Callable[[int], None], starts: range, check: Callable[[], None]) -> None:
    """NumPy lets other threads run while it computes; each call of `work` has rows of its own."""
    threads = os.cpu_count() or 1
    with closing(look_ahead(work, starts, threads=threads, ahead=2 * threads)) as done:
        for _, future in done:
            future.result()
            check()


def _fitted(wanted: Floats, scenes: Floats, windows: _Windows) -> tuple[Floats, Boxes, Floats]:
    """Round by round the best of the windows around the best so far; of the last its score, place and details."""
    rows = np.arange(len(wanted))
    for scale, shift in _ROUNDS:
        boxes = windows.around(scale, shift)
        patches = _averaged(scenes, boxes, _FINE_CELLS)
        scores = (_normalised(patches) @ wanted[:, :, None])[:, :, 0]
        best = scores.argmax(axis=1)
        windows = windows.moved(boxes[rows, best])
    details = (_details(wanted) * _details(patches[rows, best])).sum(axis=1)
    return scores[rows, best], boxes[rows, best], details


@dataclass(frozen=True, slots=True)
class _Windows:
    """One a pair: where its centre is, its side (of a square of its area), and the logarithm of its shape."""

    centre: Floats
    side: Floats
    shape: Floats

    @classmethod
    def of(cls, boxes: Boxes, shape: Floats) -> _Windows:
        """A window of the whole scene that is not of the template's shape shows a picture that was stretched."""
        side = np.sqrt(boxes[:, 2] * boxes[:, 3])
        whole = side > 0.999
        stretched = whole & (np.abs(shape) > 2 * _STRETCHED)
        return cls(_centres(boxes), side, np.where(stretched, np.float32(0), shape))

    def around(self, scale: float, shift: float) -> NDArray[np.float32]:
        """`(pairs, 27, 4)` boxes inside the scene."""
        steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 3)
        side = self.side[:, None] * np.exp(steps[:, 0] * scale)
        half = np.exp(self.shape / 2)[:, None]
        size = np.minimum(np.stack([side * half, side / half], axis=2), 1)
        corner = self.centre[:, None] + steps[:, 1:] * shift - size / 2
        return np.concatenate([np.clip(corner, 0, 1 - size), size], axis=2).astype(np.float32)

    def moved(self, boxes: Boxes) -> _Windows:
        side = np.sqrt(boxes[:, 2] * boxes[:, 3])
        return _Windows(_centres(boxes), side, self.shape)


class _Bank:
    """The windows that every scene is looked at through."""

    def __init__(self) -> None:
        sides = [(start, size) for size in _SIZES for start in _starts(size)]
        starts, sizes = (np.array(each, np.float32) for each in zip(*sides, strict=True))
        self._averages = averages(starts, sizes, _CELLS).reshape(-1, SIDE)
        # Sides get smaller: those of one height that are wide enough are the first ones.
        heights = [np.flatnonzero(sizes == np.float32(size)) for size in _SIZES]
        self._parts = [(down[0], down[-1] + 1, int((sizes * sizes[down[0]] >= SMALLEST).sum())) for down in heights]
        across = np.concatenate([np.tile(np.arange(wide), last - first) for first, last, wide in self._parts])
        down = np.concatenate([np.repeat(np.arange(first, last), wide) for first, last, wide in self._parts])
        self.boxes: Boxes = np.stack([starts[across], starts[down], sizes[across], sizes[down]], axis=1)
        self._shape = np.log(sizes[across] / sizes[down])
        self._whole = (sizes[across] == 1) & (sizes[down] == 1)

    def patches(self, scenes: Greys) -> Floats:
        """`(n, 32, 32)` -> `(n, windows, 64)`, normalised."""
        rows = self._averages @ scenes.astype(np.float32)
        parts = []
        for first, last, wide in self._parts:
            some = rows[:, first * _CELLS : last * _CELLS].reshape(-1, SIDE) @ self._averages[: wide * _CELLS].T
            windows = some.reshape(len(scenes), last - first, _CELLS, wide, _CELLS).swapaxes(2, 3)
            parts.append(windows.reshape(len(scenes), -1, _CELLS * _CELLS))
        return _normalised(np.concatenate(parts, axis=1))

    def allowed(self, shape: Floats) -> NDArray[np.bool_]:
        """`(windows, pairs)`."""
        return np.asarray((np.abs(self._shape[:, None] - shape) <= _STRETCHED) | self._whole[:, None])


def _centres(boxes: Boxes) -> Floats:
    return np.asarray(boxes[:, :2] + boxes[:, 2:] / 2, np.float32)


def _starts(size: float) -> NDArray[np.float64]:
    """Two pixels of a fingerprint apart."""
    return np.linspace(0, 1 - size, round((1 - size) * SIDE / 2) + 1)


def averages(starts: Floats, sizes: Floats, cells: int, pixels: int = SIDE) -> Floats:
    """`(...)` windows of a side -> `(..., cells, pixels)`: what of each pixel is in each of its equal cells."""
    steps = np.arange(cells, dtype=np.float32)
    begin = (starts[..., None] + steps * (sizes[..., None] / cells))[..., None] * pixels
    length = (sizes[..., None, None] / cells) * pixels
    pixel = np.arange(pixels, dtype=np.float32)
    inside = np.minimum(begin + length, pixel + 1) - np.maximum(begin, pixel)
    return np.asarray(np.maximum(inside, 0) / length, np.float32)


def _averaged(scenes: Floats, boxes: NDArray[np.float32], cells: int) -> Floats:
    """`(pairs, 32, 32)` through `(pairs, windows, 4)` -> `(pairs, windows, cells * cells)`."""
    across = averages(boxes[..., 0], boxes[..., 2], cells)
    down = averages(boxes[..., 1], boxes[..., 3], cells)
    patches = (down @ scenes[:, None]) @ across.swapaxes(-1, -2)
    return np.asarray(patches.reshape(*boxes.shape[:2], -1), np.float32)


def _whole(greys: Greys, cells: int) -> Floats:
    """`(n, 32, 32)` -> `(n, cells * cells)`, normalised."""
    each = SIDE // cells
    cut = greys.reshape(len(greys), cells, each, cells, each).astype(np.float32)
    return _normalised(cut.mean(axis=(2, 4)).reshape(len(greys), -1))


def _details(patches: Floats) -> Floats:
    """`(n, 256)` -> the same without the mean of each cell and its neighbours, normalised."""
    cells = patches.reshape(-1, _FINE_CELLS, _FINE_CELLS)
    padded = np.pad(cells, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sliding_window_view(padded, (3, 3), axis=(1, 2)).mean(axis=(3, 4))
    left = (cells - around).reshape(len(patches), -1)
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6), np.float32)


def _normalised(patches: Floats) -> Floats:
    """Mean 0 and length 1 along the last axis; what is flat becomes zeros, which correlate with nothing."""
    centred = patches - patches.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.asarray(centred / np.where(length > _FLAT * patches.shape[-1] ** 0.5, length, np.inf), np.float32)
