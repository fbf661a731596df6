"""Ranks -> Recall@K, median and mean rank, mAP@K, nDCG@K. Pure functions; a value for each query, then their mean.

Ties have no right order, so every figure exists three times. *In order*, the one reported, puts what ties in the order
of the gallery, as a stable sort does, and torch's top-k in CLIP_benchmark nearly always. *Against* counts each wrong
answer that ties as above, *in favour* as below: the truth of any other order lies between these two.
Relevance is binary. The formulas are trec_eval's (`map_cut`, `ndcg_cut`, `success`, `recip_rank`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np

from search.ranks import Float64, Ints, RightRanks


class Ties(StrEnum):
    """Where wrong answers that score exactly as the right one are put."""

    IN_ORDER = "in order"
    AGAINST = "against"
    IN_FAVOUR = "in favour"


def wrong_ahead(right: RightRanks, ties: Ties) -> Ints:
    """`(pairs,)`, how many wrong answers stand before each right one."""
    return {Ties.IN_ORDER: right.in_order, Ties.AGAINST: right.wrong.worst, Ties.IN_FAVOUR: right.wrong.best}[ties]


def hits(right: RightRanks, k: int, ties: Ties = Ties.IN_ORDER) -> Float64:
    """`(queries,)`, 1 where at least one right answer is in the top k, else 0. Its mean is Recall@K.

    This is Recall@K as papers on CLIP report it (trec_eval's `success`), for image->text too: one of an image's
    captions is enough. The queries are those with an entry in `right`, in ascending order.
    """
    return (wrong_ahead(right.first(), ties) < _valid(k)).astype(np.float64)


def first_ranks(right: RightRanks, ties: Ties = Ties.IN_ORDER) -> Float64:
    """`(queries,)`, the rank of the best right answer, counted from 1 as papers print it."""
    return (wrong_ahead(right.first(), ties) + 1).astype(np.float64)


def average_precision(right: RightRanks, k: int, ties: Ties = Ties.IN_ORDER) -> Float64:
    """`(queries,)`, AP@K = 1/R * sum over right answers j = 1..R at position p_j <= K of j / p_j.

    R counts all right answers of the query, also those beyond K, as trec_eval's `map_cut` does; with one right
    answer AP@K is the reciprocal rank, 0 beyond K.
    """
    position = _positions(right, ties)
    precision = np.where(position <= _valid(k), (right.place + 1) / position, 0.0)
    return _group_sums(right, precision) / _group_sums(right, np.ones(len(right)))


def ndcg(right: RightRanks, k: int, ties: Ties = Ties.IN_ORDER) -> Float64:
    """`(queries,)`, nDCG@K with gain 1 and discount log2(position + 1), over that of the ideal order.

    nDCG@K = sum_{p_j <= K} 1 / log2(p_j + 1)  /  sum_{j <= min(R, K)} 1 / log2(j + 1)   (Järvelin, Kekäläinen 2002)
    """
    position = _positions(right, ties)
    ideal = right.place + 1
    gain = np.where(position <= _valid(k), 1 / np.log2(position + 1.0), 0.0)
    best = np.where(ideal <= k, 1 / np.log2(ideal + 1.0), 0.0)
    return _group_sums(right, gain) / _group_sums(right, best)


def per_query(right: RightRanks, ks: Iterable[int], ties: Ties = Ties.IN_ORDER) -> dict[str, Float64]:
    """Every figure whose mean over the queries is reported, by name: `R@K`, `mAP@K` and `nDCG@K` in percent, and
    `mean_rank` from 1."""
    ks = sorted(set(ks))
    values = {f"R@{k}": 100 * hits(right, k, ties) for k in ks}
    values |= {f"mAP@{k}": 100 * average_precision(right, k, ties) for k in ks}
    values |= {f"nDCG@{k}": 100 * ndcg(right, k, ties) for k in ks}
    return values | {"mean_rank": first_ranks(right, ties)}


def figures(right: RightRanks, ks: Iterable[int], ties: Ties = Ties.IN_ORDER) -> dict[str, float]:
    """The means of `per_query`, and `median_rank` from 1; NaN for each if there are no queries."""
    values = per_query(right, ks, ties)
    means = {name: _mean(value) for name, value in values.items()}
    ranks = values["mean_rank"]
    return means | {"median_rank": float(np.median(ranks)) if len(ranks) else float("nan")}


def _positions(right: RightRanks, ties: Ties) -> Ints:
    """`(pairs,)`, from 1: the wrong answers above, the right ones above, itself."""
    return wrong_ahead(right, ties) + right.place + 1


def _group_sums(right: RightRanks, values: Float64) -> Float64:
    """`(queries,)`, the sum over each query's right answers."""
    _, group = np.unique(right.query, return_inverse=True)
    return np.bincount(group, weights=values).astype(np.float64)


def _mean(values: Float64) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _valid(k: int) -> int:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    return k
