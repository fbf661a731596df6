"""How sure a figure is, and whether two runs differ: bootstrap intervals, paired permutation test, McNemar's test.

Queries that belong together are resampled together. The five captions of one photo fail or succeed together, so a
bootstrap over single captions gives intervals that are too narrow; over photos ("clusters") it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

from search.ranks import Float64, Ints

LEVEL = 0.95
RESAMPLES = 1000
PERMUTATIONS = 10_000
_CHUNK_NUMBERS = 1 << 20
"""Random numbers drawn at a time: 1 MiB of signs."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PairedTest:
    """B minus A on the same queries."""

    difference: float
    """Mean over the queries, in the unit of the values."""
    interval: Interval
    """Paired bootstrap, by cluster."""
    p_value: float
    """Two-sided, of the paired permutation test: how often a difference as large comes up by chance."""


@dataclass(frozen=True, slots=True)
class McNemar:
    """Queries that only one of two runs gets right, and the two-sided exact binomial p of so uneven a split.

    It takes queries as independent, which captions of one photo are not: there trust the permutation test.
    """

    only_a: int
    only_b: int
    p_value: float


def bootstrap_means(
    values: Float64, cluster: Ints, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> list[Interval]:
    """Percentile bootstrap intervals of means (Efron and Tibshirani 1993, 13.3), resampling whole clusters.

    `values` is `(queries, figures)`, `cluster` `(queries,)` any integers. A resample draws as many clusters as there
    are, with replacement; its mean is over all queries of the drawn clusters. The same seed gives the same intervals.
    With fewer than two clusters there is no telling: NaN.
    """
    sums, sizes = _cluster_sums(values, cluster)
    if len(sizes) < 2:
        return [Interval(float("nan"), float("nan"))] * values.shape[1]
    means = _resampled_means(sums, sizes, resamples, np.random.default_rng(seed))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def paired_test(
    a: Float64,
    b: Float64,
    cluster: Ints,
    *,
    permutations: int = PERMUTATIONS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairedTest:
    """Whether run B differs from run A in the mean of `(queries,)` values of the same queries in the same order.

    The permutation test swaps A and B in whole clusters at random (signs of the clusters' summed differences):
    p = (1 + #{|swapped| >= |observed|}) / (1 + permutations), never 0. Raises `ValueError` for unequal lengths.
    """
    if a.shape != b.shape or a.shape != cluster.shape or a.ndim != 1:
        raise ValueError(f"values of shape {a.shape} and {b.shape} do not go with clusters of shape {cluster.shape}")
    difference = (b - a)[:, None]
    interval = bootstrap_means(difference, cluster, resamples=resamples, seed=seed)[0]
    sums, _ = _cluster_sums(difference, cluster)
    changed = sums[sums[:, 0] != 0, 0]
    p_value = _sign_flip_p(changed, permutations, np.random.default_rng(seed))
    return PairedTest(float(difference.mean()) if len(a) else float("nan"), interval, p_value)


def mcnemar(hits_a: Float64, hits_b: Float64) -> McNemar:
    """Exact McNemar test (1947) on `(queries,)` values of which above 0 is a hit.

    With n = only_a + only_b and s = min(only_a, only_b): p = min(1, 2 * sum_{i <= s} C(n, i) / 2^n); 1 if n is 0.
    """
    a, b = np.asarray(hits_a) > 0, np.asarray(hits_b) > 0
    if a.shape != b.shape:
        raise ValueError(f"hits of shape {a.shape} and {b.shape}; compare runs on the same queries")
    only_a, only_b = int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a))
    return McNemar(only_a, only_b, _binomial_p(min(only_a, only_b), only_a + only_b))


def _cluster_sums(values: Float64, cluster: Ints) -> tuple[Float64, Float64]:
    """`(clusters, figures)` sums and `(clusters,)` sizes."""
    found, index = np.unique(cluster, return_inverse=True)
    sums = np.empty((len(found), values.shape[1]), np.float64)
    for column in range(values.shape[1]):
        sums[:, column] = np.bincount(index, weights=values[:, column], minlength=len(found))
    return sums, np.bincount(index, minlength=len(found)).astype(np.float64)


def _resampled_means(sums: Float64, sizes: Float64, resamples: int, rng: np.random.Generator) -> Float64:
    """`(resamples, figures)`, one resample at a time so that memory is O(clusters)."""
    clusters = len(sizes)
    means = np.empty((resamples, sums.shape[1]), np.float64)
    for row in means:
        drawn = np.bincount(rng.integers(0, clusters, clusters), minlength=clusters).astype(np.float64)
        row[:] = (drawn @ sums) / (drawn @ sizes)
    return means


def _sign_flip_p(changed: Float64, permutations: int, rng: np.random.Generator) -> float:
    if not len(changed):
        return 1.0
    # Sums of the same numbers in another order differ in the last digits: these must not count as smaller.
    observed = abs(changed.sum()) - 1e-9 * np.abs(changed).sum()
    at_least, step = 0, max(1, _CHUNK_NUMBERS // len(changed))
    for start in range(0, permutations, step):
        shape = (min(step, permutations - start), len(changed))
        signs: NDArray[np.int8] = rng.integers(0, 2, shape, dtype=np.int8)
        swapped = 2 * (signs @ changed) - changed.sum()
        at_least += int(np.count_nonzero(np.abs(swapped) >= observed))
    return (1 + at_least) / (1 + permutations)


def _binomial_p(smaller: int, total: int) -> float:
    if not total:
        return 1.0
    logs = [lgamma(total + 1) - lgamma(i + 1) - lgamma(total - i + 1) - total * log(2) for i in range(smaller + 1)]
    return min(1.0, 2 * float(np.exp(logs).sum()))
