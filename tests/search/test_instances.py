from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from search.instances import evaluate_instances


def area(ranked: list[int], relevant: set[int], junk: set[int]) -> float:
    """AP by walking down the list, as Oxford's own program does: junk skipped, trapezoids summed."""
    total, found, place, old_recall, old_precision = 0.0, 0, 0, 0.0, 1.0
    for item in ranked:
        if item in junk:
            continue
        found += item in relevant
        recall, precision = found / len(relevant), found / (place + 1)
        total += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision, place = recall, precision, place + 1
    return total


def test_agrees_with_a_walk_down_the_list() -> None:
    rng = np.random.default_rng(0)
    queries, gallery = rng.standard_normal((12, 16)), rng.standard_normal((200, 16))
    relevant, junk, expected = [], [], []
    for query in queries.astype(np.float32):
        judged = rng.permutation(200)[: rng.integers(2, 60)].tolist()
        cut = int(rng.integers(1, len(judged)))
        relevant.append(judged[:cut])
        junk.append(judged[cut:])
        ranked = np.argsort(-(gallery.astype(np.float32).astype(float) @ query), kind="stable").tolist()
        expected.append(area(ranked, set(judged[:cut]), set(judged[cut:])))
    found = evaluate_instances(queries, gallery, relevant, junk)
    assert found.average_precision.tolist() == pytest.approx(expected, abs=1e-12)
    assert found.mean_average_precision == pytest.approx(100 * np.mean(expected))
    assert found.interval.low < found.mean_average_precision < found.interval.high


def test_a_tie_with_a_wrong_picture_is_reported_both_ways() -> None:
    gallery = np.array([[2.0], [2.0], [1.0]])
    found = evaluate_instances(np.ones((1, 1)), gallery, [[1]], [[]])
    assert found.in_favour == 100.0
    assert found.against == found.mean_average_precision == 100 * (0 / 1 + 1 / 2) / 2
    assert evaluate_instances(np.ones((1, 1)), gallery, [[0]], [[]]).mean_average_precision == 100.0


def test_a_tie_with_junk_does_no_harm() -> None:
    found = evaluate_instances(np.ones((1, 1)), np.array([[2.0], [2.0], [3.0]]), [[1]], [[0, 2]])
    assert found.mean_average_precision == 100.0


def test_queries_without_a_relevant_picture_take_no_part() -> None:
    found = evaluate_instances(np.ones((2, 1)), np.ones((1, 1)), [[], [0]], [[0], []])
    assert found.query.tolist() == [1]
    assert found.mean_average_precision == 100.0
    assert isnan(evaluate_instances(np.ones((1, 1)), np.ones((1, 1)), [[]], [[0]]).mean_average_precision)


def test_lists_that_contradict_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        evaluate_instances(np.ones((1, 1)), np.ones((1, 1)), [[0]], [[0]])
    with pytest.raises(ValueError, match="2 relevant"):
        evaluate_instances(np.ones((1, 1)), np.ones((1, 1)), [[0], [0]], [[0]])
