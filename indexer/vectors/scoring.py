"""Exact scores: of whole matrices to find candidates, and of candidates, one way, to rank them.

Every way of scanning gives approximate scores, whose last bits depend on the order of summation and so on k and the
batch. They only choose candidates, with a margin for rounding; the candidates are then scored again, one way, and
ordered by score and id. So exact results are exact, ties included, and no result depends on the batch it came in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Mask, Rows, Stored, Vectors

CHUNK = 1 << 15  # rows whose scores are in memory at a time: 8 MB for 64 queries
_QUERIES = 512  # queries whose scores are
_BLOCK = (
    1 << 10
)  # rows gathered or converted at a time: 2 MB of float32 at 512 dimensions stay in the processor's cache
_CACHED = 1 << 20  # float32 values
_LOWEST = float(np.finfo(np.float32).min)
_SHIFT, _BITS, _SCALE = np.int32(13), np.int32(-0x70002000), np.float32(2.0**112)

NO_ROWS: Rows = np.empty(0, np.intp)


def as_float32(vectors: NDArray[Any]) -> Vectors:
    """Float16 to float32, exactly, for finite values; what is float32 already is given back.

    By moving the bits, five times faster than NumPy's own conversion: 1,000 x 512 take 0.16 ms, not 0.8.
    """
    if vectors.dtype == np.float32:
        return vectors
    bits = vectors.view(np.int16).astype(np.int32)
    bits <<= _SHIFT
    bits &= _BITS  # the shift has carried the sign with it
    values: Vectors = bits.view(np.float32)
    values *= _SCALE  # float32's exponents begin 112 lower
    return values


def scored(vectors: Stored, query: Vectors) -> Vectors:
    """The final score of each row: cosine, which the rounding of rows to float16 may lift to 1.0001.

    Not a matrix product: BLAS sums in another order for another number of rows. Along a row, NumPy does not.
    """
    product = as_float32(vectors) * query
    scores: Vectors = product.sum(axis=1, dtype=np.float32)
    return scores


def dots(vectors: Vectors, query: Vectors) -> Vectors:
    """The product of each row with the query, on this thread; it does not depend on the rows beside it."""
    found: Vectors = np.vecdot(vectors, query)
    return found


def products(query: Vectors, vectors: Stored, rows: Rows) -> Vectors:
    """Approximate scores of those rows, by matrix products."""
    scores: Vectors = _products(query[None], vectors, rows, gathered=True)[0]
    return scores


def narrowed(query: Vectors, scores: Vectors, cuts: tuple[int, ...], depths: tuple[int, ...]) -> Mask:
    """Which of the candidates with those approximate scores may be among the best of some depth by final score.

    For each of `depths`, the first so many of the candidates count as `cuts` says.
    """
    keep = np.zeros(len(scores), np.bool_)
    for cut, depth in zip(cuts, depths, strict=True):
        best = _Best(depth, query)
        best.add(np.arange(cut), scores[:cut])
        keep[best.rows] = True
    return keep


def scan(
    queries: Vectors, vectors: Stored, k: int, *, rows: Rows | None = None, dead: Mask | None = None
) -> list[Rows]:
    """For each query, the rows of `vectors` that hold its best k by final score, and few more.

    With `rows` (ascending), among those only; never a row that is `dead` (given `rows`, it is not looked at).
    """
    if not len(vectors):
        return [NO_ROWS for _ in queries]
    found = [_Best(k, query) for query in queries]
    for start in range(0, len(vectors) if rows is None else len(rows), CHUNK):
        places = np.arange(start, min(start + CHUNK, len(vectors))) if rows is None else rows[start : start + CHUNK]
        gone = np.flatnonzero(dead[places]) if dead is not None and rows is None else NO_ROWS
        for first in range(0, len(queries), _QUERIES):
            some = queries[first : first + _QUERIES]
            scores = _products(some, vectors, places, gathered=rows is not None)
            scores[:, gone] = -np.inf
            for best, of_query in zip(found[first:], scores, strict=False):
                best.add(places, of_query)
    return [best.rows for best in found]


class _Best:
    """Rows that may be among the best k of one query so far."""

    def __init__(self, k: int, query: Vectors) -> None:
        self.rows = NO_ROWS
        self._k, self._slack = k, _slack(query)
        self._scores = np.empty(0, np.float32)
        self._floor = _LOWEST  # above a dead row's minus infinity

    def add(self, places: Rows, scores: Vectors) -> None:
        good = np.flatnonzero(scores >= self._floor)
        if not len(good):
            return
        rows, scores = np.concatenate([self.rows, places[good]]), np.concatenate([self._scores, scores[good]])
        if len(scores) > self._k:
            place = len(scores) - self._k
            self._floor = max(_LOWEST, float(np.partition(scores, place)[place]) - self._slack)
            keep = scores >= self._floor
            rows, scores = rows[keep], scores[keep]
        self.rows, self._scores = rows, scores


def _products(queries: Vectors, vectors: Stored, places: Rows, *, gathered: bool) -> Vectors:
    """`(queries, places)` scores by matrix products, in as few as there can be."""
    if not gathered and vectors.dtype == np.float32:
        return _product(queries, vectors[places[0] : places[-1] + 1])
    scores = np.empty((len(queries), len(places)), np.float32)
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK]
        some = vectors[block] if gathered else vectors[block[0] : block[-1] + 1]
        scores[:, start : start + _BLOCK] = _product(queries, as_float32(some))
    return scores


def _product(queries: Vectors, vectors: NDArray[Any]) -> Vectors:
    """BLAS divides even small products among threads, which wait for processors where others are busy: tests that
    re-rank took six times as long beside one busy process. What fits into the cache is done row by row, as fast."""
    if len(queries) > 1:
        product: Vectors = queries @ vectors.T
    elif vectors.size <= _CACHED:
        product = dots(vectors, queries[0])[None]
    else:
        product = (vectors @ queries[0])[None]
    return product


def _slack(query: Vectors) -> float:
    """How much lower than the k-th best an approximate score may be and still belong to the best k.

    A sum of d products in float32 is off by at most d * 2^-24 times the lengths of both vectors, in any order; an
    approximate score and a final one may be off against each other, and two scores are compared.
    """
    return float(2 * 2 * len(query) * 2.0**-24 * 1.02 * max(1.0, float(np.linalg.norm(query))))
