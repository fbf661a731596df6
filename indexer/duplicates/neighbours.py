"""The nearest by embedding of every picture at once: a join, far cheaper than a search for each.

The vectors are divided into cells by k-means. Each vector is compared with those of the cells nearest to it, all that
ask for a cell in one matrix product: 60,000 of 384 dimensions take 2.7 s of one processor, each against each 144 s.
What is near is found; of the 12 nearest that are hardly nearer than hundreds of others, half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Stored, Vectors
from indexer.vectors.scoring import as_float32

NEAREST: Final = 12
"""Neighbours kept of each."""
EXACT_UP_TO: Final = 8192
"""One cell: every vector is compared with every other."""
PROBES: Final = 6
"""Cells that each vector is looked for in."""
_CELL = 512  # vectors a cell, on average
_SAMPLED = 48  # vectors a cell that k-means learns from
_ROUNDS = 6
_BLOCK = 4096  # vectors assigned at a time
_ASKING = 2048  # vectors of one product
_SEED = 0
_NOTHING = -1.5  # below every cosine


@dataclass(frozen=True, slots=True)
class Near:
    """Pairs of rows, not ordered; a pair is there once or twice."""

    pairs: NDArray[np.int64]
    """`(n, 2)`."""
    cosines: NDArray[np.float32]


def neighbours(
    vectors: Stored, least: float, check: Callable[[], None], *, nearest: int = NEAREST, cell: int = _CELL
) -> Near:
    """Of each of `(n, dimension)` unit rows the `nearest` others with a cosine of `least` or more.

    Exact up to `EXACT_UP_TO` rows, else as far as the cells show them. `check` is called between products.
    """
    exact = len(vectors) <= EXACT_UP_TO
    centres = as_float32(vectors[:1]) if exact else _centres(vectors, max(2, len(vectors) // cell), check)
    cells = np.empty((len(vectors), min(1 if exact else PROBES, len(centres))), np.int32)
    for start in range(0, len(vectors), _BLOCK):
        check()
        scores = as_float32(vectors[start : start + _BLOCK]) @ centres.T
        cells[start : start + _BLOCK] = _best(scores, cells.shape[1])
    best = _Best(len(vectors), nearest)
    home, askers = _by_cell(cells[:, 0], len(centres)), _by_cell(cells, len(centres))
    for inside, asking in zip(home, askers, strict=True):
        there = as_float32(vectors[inside])
        for start in range(0, len(asking), _ASKING):
            check()
            some = asking[start : start + _ASKING]
            scores = as_float32(vectors[some]) @ there.T
            scores[some[:, None] == inside[None]] = -2
            best.add(some, inside, scores, least)
    return best.found()


class _Best:
    """The nearest so far of every row."""

    def __init__(self, rows: int, nearest: int) -> None:
        self._rows = np.full((rows, nearest), -1, np.int32)
        self._scores = np.full((rows, nearest), _NOTHING, np.float32)

    def add(self, asking: NDArray[np.int64], inside: NDArray[np.int64], scores: Vectors, least: float) -> None:
        """`(asking, inside)` scores. No row is asked about in two cells, so none is found twice."""
        nearest = self._rows.shape[1]
        most = min(nearest, len(inside))
        if not most:
            return
        chosen = np.argpartition(scores, -most, axis=1)[:, -most:]
        value = np.take_along_axis(scores, chosen, axis=1)
        better = value.max(axis=1) >= np.maximum(self._scores[asking].min(axis=1), least)
        asking, chosen, value = asking[better], chosen[better], value[better]
        value[value < least] = _NOTHING
        rows = np.concatenate([self._rows[asking], np.where(value > _NOTHING, inside[chosen], -1)], axis=1)
        best = np.concatenate([self._scores[asking], value], axis=1)
        chosen = np.argpartition(best, -nearest, axis=1)[:, -nearest:]
        self._rows[asking] = np.take_along_axis(rows, chosen, axis=1)
        self._scores[asking] = np.take_along_axis(best, chosen, axis=1)

    def found(self) -> Near:
        row, place = np.nonzero(self._rows >= 0)
        return Near(np.stack([row, self._rows[row, place]], axis=1), self._scores[row, place])


def _best(scores: Vectors, most: int) -> NDArray[np.int32]:
    """`(n, most)` columns with the highest scores, the very highest first."""
    if most == scores.shape[1]:
        chosen = np.argsort(-scores, axis=1)
    else:
        chosen = np.argpartition(-scores, most - 1, axis=1)[:, :most]
        chosen = np.take_along_axis(chosen, np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1), axis=1)
    return chosen.astype(np.int32)


def _by_cell(cells: NDArray[np.int32], count: int) -> list[NDArray[np.int64]]:
    """Rows that have each cell among theirs."""
    flat = cells.ravel()
    order = np.argsort(flat, kind="stable")
    rows = order // (1 if cells.ndim == 1 else cells.shape[1])
    return np.split(rows, np.searchsorted(flat[order], np.arange(1, count)))


def _centres(vectors: Stored, count: int, check: Callable[[], None]) -> Vectors:
    """Spherical k-means of a sample, from some of its own vectors; a cell that stays empty keeps its centre."""
    rng = np.random.default_rng(_SEED)
    sample = as_float32(vectors[np.sort(rng.choice(len(vectors), min(len(vectors), count * _SAMPLED), replace=False))])
    centres: Vectors = sample[rng.choice(len(sample), count, replace=False)].copy()
    for _ in range(_ROUNDS):
        sums = np.zeros_like(centres)
        for start in range(0, len(sample), _BLOCK):
            check()
            block = sample[start : start + _BLOCK]
            cells = np.argmax(block @ centres.T, axis=1)
            order = np.argsort(cells, kind="stable")
            filled, first = np.unique(cells[order], return_index=True)
            sums[filled] += np.add.reduceat(block[order], first, axis=0)
        lengths = np.linalg.norm(sums, axis=1)
        some = lengths > 0
        centres[some] = sums[some] / lengths[some, None]
    return centres


def likely_cosine(vectors: Stored, *, pairs: int = 20_000) -> tuple[float, float]:
    """Mean and standard deviation of the cosines of pictures that chance put together."""
    rng = np.random.default_rng(_SEED)
    first, second = rng.integers(0, len(vectors), (2, pairs))
    apart = first != second
    if not apart.any():
        return 0.0, 0.0
    scores = np.concatenate(
        [
            (as_float32(vectors[a]) * as_float32(vectors[b])).sum(axis=1)
            for a, b in zip(np.array_split(first[apart], 20), np.array_split(second[apart], 20), strict=True)
        ]
    )
    return float(scores.mean()), float(scores.std())
