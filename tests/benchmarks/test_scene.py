"""The true answers, and how much of them was found."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.vector_search.scene import least, make_scene, recall

RNG = np.random.default_rng(1)
VECTORS = RNG.standard_normal((300, 16)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
QUERIES = RNG.standard_normal((5, 16)).astype(np.float32)
SCORES = QUERIES @ VECTORS.T


def test_least_is_the_kth_best_score() -> None:
    found = least(QUERIES, VECTORS, (1, 10, 100))
    ordered = -np.sort(-SCORES, axis=1)
    for depth in (1, 10, 100):
        np.testing.assert_allclose(found[depth], ordered[:, depth - 1], atol=1e-5)


def test_least_among_some_rows_and_among_too_few() -> None:
    rows = np.array([3, 50, 299])
    found = least(QUERIES, VECTORS, (3, 10), rows=rows)
    np.testing.assert_allclose(found[3], SCORES[:, rows].min(axis=1), atol=1e-5)
    assert (found[10] == -np.inf).all()


def test_recall_counts_what_is_among_the_best() -> None:
    best = np.argsort(-SCORES, axis=1)[:, :10]
    lowest = least(QUERIES, VECTORS, (10,))[10]
    assert recall(best, QUERIES, VECTORS, lowest, 10) == 1.0
    half = best.copy()
    half[:, 5:] = np.argsort(-SCORES, axis=1)[:, 200:205]
    assert recall(half, QUERIES, VECTORS, lowest, 10) == 0.5
    one_of_five = [best[0], *([np.empty(0, np.int64)] * 4)]
    assert recall(one_of_five, QUERIES, VECTORS, lowest, 10) == pytest.approx(0.2)


def test_recall_counts_an_id_once_and_padding_never() -> None:
    best = np.argsort(-SCORES, axis=1)[:, :10]
    lowest = least(QUERIES, VECTORS, (10,))[10]
    assert recall(np.repeat(best[:, :1], 10, axis=1), QUERIES, VECTORS, lowest, 10) == pytest.approx(0.1)
    padded = best.copy()
    padded[:, 4:] = -1
    assert recall(padded, QUERIES, VECTORS, lowest, 10) == pytest.approx(0.4)


def test_what_ties_with_the_last_is_as_good() -> None:
    vectors = np.concatenate([VECTORS, VECTORS[:1]])
    query = VECTORS[:1]
    lowest = least(query, vectors, (1,))[1]
    assert recall([np.array([0])], query, vectors, lowest, 1) == 1.0
    assert recall([np.array([300])], query, vectors, lowest, 1) == 1.0


def test_all_engines_get_the_same_values() -> None:
    scene = make_scene(500, 32, queries=10)
    np.testing.assert_array_equal(scene.vectors, scene.stored.astype(np.float32))
    assert scene.flat.ntotal == scene.size == 500
    mixed = scene.mixed()
    np.testing.assert_array_equal(mixed[0], scene.queries["image"].vectors[0])
    np.testing.assert_array_equal(mixed[3], scene.queries["text"].vectors[1])
    assert not np.array_equal(scene.probes, scene.queries["text"].vectors)
