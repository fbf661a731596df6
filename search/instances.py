"""Instance retrieval, Oxford and Paris style: other pictures of the very same thing, some of them not to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.metrics import Ties, wrong_ahead
from search.ranks import Embeddings, Float64, Ints, RightRanks, rank_right
from search.significance import RESAMPLES, Interval, bootstrap_means


@dataclass(frozen=True, slots=True)
class InstanceEvaluation:
    """mAP in percent, ties in the order of the gallery; a query without a relevant picture does not take part."""

    mean_average_precision: float
    against: float
    """The same with ties against."""
    in_favour: float
    """The same with ties in favour."""
    interval: Interval
    """95 % bootstrap over queries."""
    query: Ints
    """`(judged,)`: the queries that took part."""
    average_precision: Float64
    """`(judged,)`, 0 to 1."""


def evaluate_instances(
    queries: Embeddings,
    gallery: Embeddings,
    relevant: Sequence[Sequence[int]],
    junk: Sequence[Sequence[int]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> InstanceEvaluation:
    """mAP of `(q, d)` queries in a `(g, d)` gallery; `relevant[i]` and `junk[i]` are the rows judged for query i.

    Junk is neither right nor wrong: it is taken out of the list before anything is counted. Everything not listed is
    wrong. Raises `ValueError` as `rank_right` does, and for a picture that is both relevant and junk.
    """
    if not len(relevant) == len(junk) == len(queries):
        raise ValueError(f"{len(queries)} queries, but {len(relevant)} relevant and {len(junk)} junk lists")
    right = rank_right(queries, gallery, *_pairs(relevant), junk=_pairs(junk))
    precision = trapezoid_average_precision(right)
    interval = bootstrap_means(100 * precision[:, None], np.arange(len(precision)), seed=seed, resamples=resamples)[0]
    return InstanceEvaluation(
        mean_average_precision=_percent(precision),
        against=_percent(trapezoid_average_precision(right, Ties.AGAINST)),
        in_favour=_percent(trapezoid_average_precision(right, Ties.IN_FAVOUR)),
        interval=interval,
        query=right.first().query,
        average_precision=precision,
    )


def trapezoid_average_precision(right: RightRanks, ties: Ties = Ties.IN_ORDER) -> Float64:
    """`(queries,)` AP as Oxford's and Paris's own `compute_ap` has it: the area under trapezoids.

    AP = 1/R * sum_{j=0..R-1} (P0_j + P1_j) / 2, with p_j the 0-based position of the j-th right answer,
    P0_j = j / p_j (1 if p_j = 0) and P1_j = (j + 1) / (p_j + 1) (Philbin et al. 2007; Radenović et al. 2018). It is
    up to 1/(2R) lower than `metrics.average_precision` without a cut.
    """
    place = right.place
    position = wrong_ahead(right, ties) + place
    before = np.where(position > 0, place / np.maximum(position, 1), 1.0)
    after = (place + 1) / (position + 1)
    _, group = np.unique(right.query, return_inverse=True)
    return np.bincount(group, weights=(before + after) / 2) / np.maximum(np.bincount(group), 1)


def _pairs(lists: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    lengths = [len(items) for items in lists]
    query = np.repeat(np.arange(len(lists)), lengths)
    return query, np.array([item for items in lists for item in items], dtype=np.int64)


def _percent(values: Float64) -> float:
    return 100 * float(values.mean()) if len(values) else float("nan")
