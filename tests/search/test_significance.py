"""Intervals that cover, tests that find what is there and nothing else."""

from __future__ import annotations

from math import comb, isnan

import numpy as np
import pytest

from search.significance import bootstrap_means, mcnemar, paired_test


def test_an_interval_has_the_width_that_theory_gives() -> None:
    values = np.random.default_rng(0).random(2000) < 0.4
    interval = bootstrap_means(values[:, None].astype(float), np.arange(2000))[0]
    error = 1.96 * np.sqrt(values.mean() * (1 - values.mean()) / 2000)
    assert interval.low == pytest.approx(values.mean() - error, abs=0.003)
    assert interval.high == pytest.approx(values.mean() + error, abs=0.003)


def test_captions_that_go_together_are_worth_one() -> None:
    one = (np.random.default_rng(1).random(400) < 0.5).astype(float)
    five = np.repeat(one, 5)[:, None]
    alone = bootstrap_means(one[:, None], np.arange(400))[0]
    together = bootstrap_means(five, np.repeat(np.arange(400), 5))[0]
    apart = bootstrap_means(five, np.arange(2000))[0]
    assert together == alone
    assert apart.high - apart.low < 0.6 * (together.high - together.low)


def test_unequal_clusters_weigh_by_their_queries() -> None:
    values, cluster = np.array([[1.0], [1.0], [1.0], [0.0]]), np.array([7, 7, 7, 9])
    interval = bootstrap_means(values, cluster, resamples=200)[0]
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert bootstrap_means(values[:3], np.arange(3))[0].low == 1.0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(2).random((100, 3))
    first = bootstrap_means(values, np.arange(100), seed=3)
    assert first == bootstrap_means(values, np.arange(100), seed=3)
    assert first != bootstrap_means(values, np.arange(100), seed=4)


def test_one_cluster_tells_nothing() -> None:
    assert isnan(bootstrap_means(np.ones((5, 1)), np.zeros(5, np.int64))[0].low)


def test_a_difference_that_is_there_is_found() -> None:
    rng = np.random.default_rng(4)
    a = (rng.random(1000) < 0.4).astype(float)
    b = np.where(rng.random(1000) < 0.1, 1.0, a)
    found = paired_test(a, b, np.arange(1000) // 5)
    assert found.difference == pytest.approx((b - a).mean())
    assert found.interval.low > 0
    assert found.p_value < 0.001


def test_equal_runs_do_not_differ() -> None:
    values = np.random.default_rng(5).random(50)
    found = paired_test(values, values, np.arange(50))
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert (found.interval.low, found.interval.high) == (0.0, 0.0)


def test_p_values_of_no_difference_are_even() -> None:
    rng = np.random.default_rng(6)
    few = {"permutations": 200, "resamples": 2}
    p = [paired_test(*rng.random((2, 30)), np.arange(30), seed=i, **few).p_value for i in range(200)]
    assert 0.01 < np.mean(np.array(p) < 0.05) < 0.1
    assert 0.4 < np.mean(p) < 0.6


def test_few_clusters_can_be_enumerated() -> None:
    # Three clusters, all better: one of the eight sign patterns is as extreme each way, so p = 2/8.
    found = paired_test(np.zeros(3), np.array([1.0, 2.0, 3.0]), np.arange(3), permutations=20_000)
    assert found.p_value == pytest.approx(0.25, abs=0.01)


def test_mcnemar_is_the_exact_binomial() -> None:
    a = np.array([1, 1, 1, 1, 1, 0, 0, 1, 0, 0], dtype=float)
    b = np.array([0, 0, 0, 0, 0, 1, 0, 1, 0, 0], dtype=float)
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b) == (5, 1)
    assert found.p_value == pytest.approx(2 * (comb(6, 0) + comb(6, 1)) / 2**6)
    assert mcnemar(a, a).p_value == 1.0
    assert mcnemar(np.array([1.0, 0.0]), np.array([0.0, 1.0])).p_value == 1.0


def test_mcnemar_of_thousands_does_not_overflow() -> None:
    a, b = np.zeros(25_010), np.zeros(25_010)
    a[:6000], b[6000:12_400] = 1, 1
    assert 1e-5 < mcnemar(a, b).p_value < 1e-3


def test_other_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        paired_test(np.zeros(3), np.zeros(4), np.arange(3))
    with pytest.raises(ValueError, match="same queries"):
        mcnemar(np.zeros(3), np.zeros(4))
