"""Filtered searches, and what they are compared with."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.vector_search import filters
from benchmarks.vector_search.filters import PostFilter, allowed_ids, nearest_and_furthest
from benchmarks.vector_search.scene import Scene, least, make_scene, recall
from indexer.vectors.segmented import SegmentedIndex


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(2_000, 32, queries=20)


def test_ours_loses_nothing(scene: Scene) -> None:
    found = filters.measure(scene, SegmentedIndex.build(scene.ids, scene.stored), queries=8, rounds=2)
    assert [(one.share, one.pattern) for one in found] == [(s, p) for s in filters.SHARES for p in filters.PATTERNS]
    assert {one.recall for one in found} == {1.0}
    assert [one.shortest for one in found] == [2, 2] + [10] * 6
    assert [one.allowed for one in found[::2]] == [2, 20, 200, 1000]
    assert all(one.faster > 0 for one in found)


@pytest.mark.parametrize("pattern", filters.PATTERNS)
def test_post_filtering_is_right_too(scene: Scene, pattern: str) -> None:
    rng = np.random.default_rng(0)
    for share in (0.01, 0.5):
        allowed = allowed_ids(scene, share, pattern, scene.vectors[7], rng)
        queries = nearest_and_furthest(scene.mixed(), scene.vectors[7], 10)
        answers = PostFilter(scene, allowed).search(queries)
        assert all(np.isin(ids, allowed).all() and len(ids) == 10 for ids in answers)
        lowest = least(queries, scene.vectors, (10,), rows=allowed)[10]
        assert recall(answers, queries, scene.vectors, lowest, 10) == 1.0


def test_correlated_ids_are_those_most_like_the_anchor(scene: Scene) -> None:
    anchor = scene.vectors[7]
    allowed = allowed_ids(scene, 0.1, "correlated", anchor, np.random.default_rng(0))
    assert len(allowed) == 200
    assert 7 in allowed
    scores = scene.vectors @ anchor
    assert scores[allowed].min() >= np.delete(scores, allowed).max()
    queries = nearest_and_furthest(scene.mixed(), anchor, 10)
    likeness = queries @ anchor
    assert likeness[::2].min() > likeness[1::2].max()
