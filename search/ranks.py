"""Ranks of the right answers among a million, without ever holding the table of scores.

The scores of a block of queries against a block of items are one float32 matrix product, counted and forgotten.
float32 products round differently from one block shape, thread count or BLAS to the next, so that equal vectors may
get unequal scores and a figure would depend on the machine. Here it does not: the product only decides what is above
or below the right score by more than its own rounding could be (the bound d * 2^-24 * |q| * |g|, Higham 2002, 3.5);
the few scores within that bound are computed again, one by one, exactly multiplied and summed in float64 in a fixed
order. So the rank is that of the float64 scores, equal vectors tie exactly, and ties are reported both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.recall import Ranks

Embeddings = NDArray[np.floating[Any]]
"""`(rows, dimension)` of float16, float32 or float64, in memory or mapped from a file; scored as float32."""
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Ints = NDArray[np.int64]

QUERY_BLOCK, ITEM_BLOCK = 1000, 1000
"""A block's scores take 4 MB: large enough for BLAS at full speed, small enough to stay in the processor's cache. Not
powers of two: turning a block over takes four times as long when its columns fall on the same cache lines."""
_PAIRS = 512
"""Pairs scored exactly at a time: 2 MiB of float64 products at 512 dimensions."""
_CROWDED = 16
"""A block with more than one score in this many too close to call is scored exactly as a whole."""


@dataclass(frozen=True, slots=True)
class RightRanks:
    """The rank of every right answer of every query, counting only the wrong answers above it.

    Entries are sorted by query, then by score, best first, then by item.
    """

    query: Ints
    """`(pairs,)`: which query, a row of the queries."""
    item: Ints
    """`(pairs,)`: which right answer, a row of the gallery."""
    score: Float64
    """`(pairs,)`: their inner product, the cosine for unit rows."""
    wrong: Ranks
    """`(pairs,)`: `best` counts the wrong items that score above; `worst` adds those that tie."""
    ahead: Ints | None = None
    """`(pairs,)`: of the wrong items, those that score above and those that tie and stand earlier in the gallery. None
    where that order is not known, as of ranks read from a file: `wrong.worst` is taken."""

    def __len__(self) -> int:
        return len(self.query)

    @property
    def in_order(self) -> Ints:
        """`(pairs,)`: how many wrong items stand before each, ties in the order of the gallery."""
        return self.wrong.worst if self.ahead is None else self.ahead

    @property
    def place(self) -> Ints:
        """`(pairs,)`: 0 for the best right answer of its query, 1 for the second..."""
        return np.arange(len(self)) - self._starts()[self._group()]

    def first(self) -> RightRanks:
        """Of each query only its best right answer, as Recall@K needs."""
        return self.where(self._starts())

    def where(self, chosen: Ints | NDArray[np.bool_]) -> RightRanks:
        """Only the chosen entries, their ranks as they were."""
        wrong = Ranks(best=self.wrong.best[chosen], worst=self.wrong.worst[chosen])
        return RightRanks(self.query[chosen], self.item[chosen], self.score[chosen], wrong, self.in_order[chosen])

    def _starts(self) -> Ints:
        return np.flatnonzero(np.diff(self.query, prepend=-1))

    def _group(self) -> Ints:
        return np.cumsum(np.diff(self.query, prepend=self.query[:1]) != 0)


def rank_right(
    queries: Embeddings,
    gallery: Embeddings,
    query: Ints,
    item: Ints,
    *,
    junk: tuple[Ints, Ints] | None = None,
) -> RightRanks:
    """Ranks of right answers: `gallery[item[p]]` is one for `queries[query[p]]`.

    score(q, g) = sum_i q_i * g_i. `queries` is `(q, d)`, `gallery` `(g, d)`; `query` and `item` are `(pairs,)`. A
    query may have any number of right answers, or none: then it has no entry. `junk` lists pairs in the same form
    that are neither right nor wrong: they are not counted. Memory: O(pairs) beside a few blocks of 4 MB. Raises
    `ValueError` for other shapes, indices out of range, the same pair twice, and numbers that are not finite.
    """
    junk = junk or (np.zeros(0, np.int64), np.zeros(0, np.int64))
    listed = (
        np.concatenate([query, junk[0]]).astype(np.int64),
        np.concatenate([item, junk[1]]).astype(np.int64),
    )
    tally, _ = _tallies(queries, gallery, *listed)
    for block in _blocks(queries, gallery):
        tally.add(block)
    return tally.right(np.arange(len(listed[0])) < len(query))


def rank_both(images: Embeddings, captions: Embeddings, image_of_caption: Ints) -> tuple[RightRanks, RightRanks]:
    """Text->image and image->text ranks of the same pairs, in one pass over their scores.

    `images` is `(m, d)`, `captions` `(n, d)`, `image_of_caption` `(n,)`: the row of each caption's image. An image
    without captions is a wrong answer for every caption, and no query. Otherwise as `rank_right`.
    """
    by_text, by_image = _tallies(captions, images, np.arange(len(captions)), np.asarray(image_of_caption, np.int64))
    for block in _blocks(captions, images):
        by_text.add(block)
        by_image.add(block.transposed())
    every = np.ones(len(captions), dtype=np.bool_)
    return by_text.right(every), by_image.right(every)


def nearest(queries: Embeddings, gallery: Embeddings, k: int) -> tuple[Ints, Float64]:
    """What each query gets: `(queries, min(k, gallery))` rows of the gallery, best first, and their scores.

    For showing what was returned; equal scores in the gallery's order. Exact as ranks are: a candidate that the
    float32 product puts within its rounding of the k-th is scored again in float64.
    """
    k = min(k, len(gallery))
    found, scores = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float64)
    margins = 2 * _margin(queries.shape[1]) * _norms(queries) * _norms(gallery).max(initial=0)
    for row, margin in enumerate(margins if k else []):
        rough = np.concatenate([block.scores[0].copy() for block in _blocks(queries[row : row + 1], gallery)])
        close = np.flatnonzero(rough >= np.partition(rough, len(rough) - k)[len(rough) - k] - margin)
        exact = pair_scores(queries, gallery, np.full(len(close), row), close)
        best = np.lexsort((close, -exact))[:k]
        found[row], scores[row] = close[best], exact[best]
    return found, scores


def pair_scores(queries: Embeddings, gallery: Embeddings, query: Ints, item: Ints) -> Float64:
    """`(pairs,)` inner products of single pairs of rows, the same for equal rows wherever they stand.

    A product of two float32 numbers is exact in float64; NumPy sums a contiguous row in an order that depends on its
    length alone.
    """
    scores = np.empty(len(query), np.float64)
    for start in range(0, len(query), _PAIRS):
        part = slice(start, start + _PAIRS)
        left = _float32(queries[query[part]]).astype(np.float64)
        scores[part] = np.multiply(left, _float32(gallery[item[part]]), out=left).sum(axis=1)
    return scores


class _Block:
    """Scores of some queries against some items: float32 for all of them, exact for those asked for."""

    def __init__(self, queries: Float32, items: Float32, rows: slice, columns: slice, scores: Float32) -> None:
        self.queries, self.items, self.rows, self.columns = queries, items, rows, columns
        self.scores = scores
        self._exact: Float64 | None = None

    def transposed(self) -> _Block:
        turned = _Block(self.items, self.queries, self.columns, self.rows, np.ascontiguousarray(self.scores.T))
        turned._exact = None if self._exact is None else self._exact.T
        return turned

    def exact(self, row: Ints, column: Ints) -> Float64:
        """Exact scores of pairs, given by their place within the block."""
        if self._exact is None and len(row) * _CROWDED > self.scores.size:
            self._exact = self._all_exact()
        if self._exact is not None:
            return self._exact[row, column]
        return pair_scores(self.queries, self.items, row, column)

    def _all_exact(self) -> Float64:
        """A model that gives everything nearly the same vector crowds whole blocks; equal rows are scored once."""
        queries, row_of = np.unique(self.queries, axis=0, return_inverse=True)
        items, column_of = np.unique(self.items, axis=0, return_inverse=True)
        every = np.arange(len(items))
        table = np.stack([pair_scores(queries, items, np.full_like(every, row), every) for row in range(len(queries))])
        return table[np.ix_(row_of.ravel(), column_of.ravel())]


class _Tally:
    """Counts, for every listed pair, the items that score above it and those that tie with it."""

    def __init__(self, query: Ints, item: Ints, score: Float64, margin: Float64) -> None:
        """`margin` is `(queries,)`: by how much a float32 score of that query can be wrong."""
        self._query, self._item, self._score = query, item, score
        # float32 thresholds, rounded outwards: over `_high` is surely above the score, under `_low` surely below it.
        reach = margin[query]
        self._high = np.nextafter((score + reach).astype(np.float32), np.float32(np.inf))
        self._low = np.nextafter((score - reach).astype(np.float32), np.float32(-np.inf))
        self._order = np.argsort(query, kind="stable")
        self._count = np.bincount(query, minlength=len(margin))
        self._start = np.cumsum(self._count) - self._count
        self._above = np.zeros(len(query), np.int64)
        self._tied = np.zeros(len(query), np.int64)
        self._tied_earlier = np.zeros(len(query), np.int64)

    def add(self, block: _Block) -> None:
        """Count a block in: one comparison of it for the first right answer of each query, one for the second..."""
        count, start = self._count[block.rows], self._start[block.rows]
        for place in range(count.max(initial=0)):
            rows = np.flatnonzero(count > place)
            pairs = self._order[start[rows] + place]
            scores = block.scores if len(rows) == len(block.scores) else block.scores[rows]
            above = _count(scores > self._high[pairs, None])
            undecided = np.flatnonzero(_count(scores >= self._low[pairs, None]) > above)
            self._above[pairs] += above
            self._settle(block, rows[undecided], pairs[undecided])

    def _settle(self, block: _Block, rows: Ints, pairs: Ints) -> None:
        """Decide what float32 could not: scores from `_low` to `_high` of their pair."""
        if not len(rows):
            return
        scores = block.scores[rows]
        close = scores >= self._low[pairs, None]
        close &= scores <= self._high[pairs, None]
        line, column = np.nonzero(close)
        exact, right = block.exact(rows[line], column), self._score[pairs][line]
        self._above[pairs] += np.bincount(line[exact > right], minlength=len(pairs))
        tied = exact == right
        self._tied[pairs] += np.bincount(line[tied], minlength=len(pairs))
        tied &= block.columns.start + column < self._item[pairs][line]
        self._tied_earlier[pairs] += np.bincount(line[tied], minlength=len(pairs))

    def right(self, is_right: NDArray[np.bool_]) -> RightRanks:
        """The ranks of the pairs that are right; listed pairs, right or not, do not count as wrong answers."""
        order = np.lexsort((self._item, -self._score, self._query))
        query, score = self._query[order], self._score[order]
        new_query = np.diff(query, prepend=-1) != 0
        new_run = new_query | (np.diff(score, prepend=np.nan) != 0)
        run_starts = np.flatnonzero(new_run)
        run = np.cumsum(new_run) - 1
        listed_above = run_starts[run] - np.flatnonzero(new_query)[np.cumsum(new_query) - 1]
        listed_tied = np.diff(run_starts, append=len(order))[run]
        above = self._above[order] - listed_above
        tied = self._tied[order] - listed_tied
        earlier = self._tied_earlier[order] - (np.arange(len(order)) - run_starts[run])
        every = RightRanks(query, self._item[order], score, Ranks(best=above, worst=above + tied), above + earlier)
        return every.where(is_right[order])


def _tallies(queries: Embeddings, gallery: Embeddings, query: Ints, item: Ints) -> tuple[_Tally, _Tally]:
    """One that asks with the queries, and one that asks the other way round."""
    _check(queries, gallery, query, item)
    query_norms, item_norms = _norms(queries), _norms(gallery)
    bound = _margin(queries.shape[1])
    score = pair_scores(queries, gallery, query, item)
    return (
        _Tally(query, item, score, bound * query_norms * item_norms.max(initial=0)),
        _Tally(item, query, score, bound * item_norms * query_norms.max(initial=0)),
    )


def _blocks(queries: Embeddings, gallery: Embeddings) -> Iterator[_Block]:
    """Every score once. The memory for the scores is used again by the next block."""
    memory = np.empty(min(QUERY_BLOCK, len(queries)) * min(ITEM_BLOCK, len(gallery)), np.float32)
    for columns in _slices(len(gallery), ITEM_BLOCK):
        items = _float32(gallery[columns])
        for rows in _slices(len(queries), QUERY_BLOCK):
            part = _float32(queries[rows])
            scores = memory[: len(part) * len(items)].reshape(len(part), len(items))
            yield _Block(part, items, rows, columns, np.matmul(part, items.T, out=scores))


def _slices(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def _count(mask: NDArray[np.bool_]) -> Ints:
    """How many are true in each row; six times as fast as `np.count_nonzero(mask, axis=1)`."""
    return np.asarray(np.bitwise_count(np.packbits(mask, axis=1)).sum(axis=1, dtype=np.int64))


def _margin(dimension: int) -> float:
    """gamma_d = d * u / (1 - d * u), u = 2^-24: the rounding of a float32 inner product, in any order of summation."""
    rounding = (dimension + 1) * 2.0**-24
    return rounding / (1 - rounding)


def _norms(matrix: Embeddings) -> Float64:
    norms = np.empty(len(matrix), np.float64)
    for rows in _slices(len(matrix), QUERY_BLOCK):
        part = _float32(matrix[rows])
        norms[rows] = np.sqrt(np.einsum("ij,ij->i", part, part))
    if not np.isfinite(norms).all():
        raise ValueError(
            f"row {np.argmin(np.isfinite(norms))} of the embeddings is not finite, or too long for float32"
        )
    return norms


def _float32(rows: Embeddings) -> Float32:
    return np.ascontiguousarray(rows, dtype=np.float32)


def _check(queries: Embeddings, gallery: Embeddings, query: Ints, item: Ints) -> None:
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1] or not queries.shape[1]:
        raise ValueError(f"embeddings of shape {queries.shape} do not go with {gallery.shape}")
    if query.ndim != 1 or query.shape != item.shape:
        raise ValueError(f"pairs of shape {query.shape} and {item.shape}; give one item for each query")
    for index, limit in ((query, len(queries)), (item, len(gallery))):
        if len(index) and not (index.min() >= 0 and index.max() < limit):
            raise ValueError(f"index out of range: {index.min()} to {index.max()}, for {limit}")
    if len(np.unique(query * max(len(gallery), 1) + item)) != len(query):
        raise ValueError("a pair of query and item is listed twice")
