"""Recall@K by counting: the rank of the right answer is the number of scores above its own.

Nothing is sorted and no one-hot table is built, so 5,000 queries against 1,000 images take milliseconds. A tie
has no right order: a model that gives everything the same score would reach 100 % or 0 %, whichever the sort
happens to do. So every rank is reported both ways, `best` with ties in favour and `worst` with ties against,
and `recall_at` takes one of the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Ranks:
    """One rank a query, 0 for the top. Where no score ties with the right one, `best` and `worst` are equal."""

    best: NDArray[np.int64]
    """`(queries,)`: how many items score above the best right one."""
    worst: NDArray[np.int64]
    """`(queries,)`: the same, with every wrong item that ties with it counted as above."""

    def __len__(self) -> int:
        return len(self.best)


def count_ranks(scores: Scores, right: Ints) -> Ranks:
    """Ranks of the one right item of each query.

    `scores` is `(queries, items)`, higher is better; `right` is `(queries,)`, the column that is right.
    rank = #{j : scores[q, j] > scores[q, right[q]]}; `worst` adds #{j != right[q] : scores[q, j] equals it}.
    No queries give empty ranks. Raises `ValueError` on other shapes, on a column that is not there and on NaN,
    which would otherwise count as a perfect rank.
    """
    _check(scores, right, axis=0)
    if not len(scores):
        return _no_ranks()
    target = np.take_along_axis(scores, right[:, None], axis=1)
    return _count(scores, target, np.ones(len(scores), dtype=np.int64))


def count_group_ranks(scores: Scores, owner: Ints) -> Ranks:
    """Ranks of the best of several right items, as image->text needs: any of an image's captions counts.

    `scores` is `(queries, items)`; `owner` is `(items,)`, the query that each item belongs to. The rank is that
    of the query's best item; `worst` does not count the query's own items that tie with it. Every query must own
    an item. Raises `ValueError` as `count_ranks` does.
    """
    _check(scores, owner, axis=1)
    if not len(scores):
        return _no_ranks()
    items = np.arange(scores.shape[1])
    target = np.full(len(scores), -np.inf, dtype=scores.dtype)
    np.maximum.at(target, owner, scores[owner, items])
    if len(np.unique(owner)) != len(scores):
        raise ValueError("every query must own at least one item")
    own_ties = np.bincount(owner[scores[owner, items] == target[owner]], minlength=len(scores))
    return _count(scores, target[:, None], own_ties)


def recall_at(k: int, ranks: NDArray[np.int64]) -> float:
    """The share, 0 to 1, of queries whose right item is in the top k: mean of rank < k. NaN if there are none.

    `ranks` is `Ranks.best` or `Ranks.worst`. Raises `ValueError` if k is under 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    return float(np.mean(ranks < k)) if len(ranks) else float("nan")


def recalls(ranks: Ranks, ks: Iterable[int] = (1, 5, 10)) -> dict[int, float]:
    """`recall_at` for several k, with ties counted against."""
    return {k: recall_at(k, ranks.worst) for k in ks}


def _count(scores: Scores, target: Scores, own_ties: NDArray[np.int64]) -> Ranks:
    """`target` is `(queries, 1)`; `own_ties` the number of right items a query that equal it, itself included."""
    above = np.count_nonzero(scores > target, axis=1).astype(np.int64)
    ties = np.count_nonzero(scores == target, axis=1).astype(np.int64)
    return Ranks(best=above, worst=above + ties - own_ties)


def _no_ranks() -> Ranks:
    return Ranks(best=np.zeros(0, dtype=np.int64), worst=np.zeros(0, dtype=np.int64))


def _check(scores: Scores, index: Ints, *, axis: int) -> None:
    if scores.ndim != 2 or index.shape != (scores.shape[axis],):
        raise ValueError(f"scores of shape {scores.shape} do not go with an index of shape {index.shape}")
    limit = scores.shape[1 - axis]
    if len(index) and not (index.min() >= 0 and index.max() < limit):
        raise ValueError(f"index out of range: {index.min()} to {index.max()}, for {limit}")
    if np.isnan(scores).any():
        raise ValueError("scores hold NaN")
