"""An index that grows while it is searched."""

from __future__ import annotations

import numpy as np

from benchmarks.vector_search import freshness
from benchmarks.vector_search.freshness import Growing
from benchmarks.vector_search.scene import Scene, make_scene
from indexer.vectors.planning import IndexPlan
from indexer.vectors.segmented import SegmentedIndex

PLAN = IndexPlan()


def growing(scene: Scene, newcomers: int) -> Growing:
    rows = make_scene(newcomers, scene.dimension, queries=1, seed=1).stored
    index = SegmentedIndex.build(scene.ids, scene.stored, PLAN, scene.probes)
    return Growing(index, rows, PLAN, scene.probes)


def test_what_is_added_is_found() -> None:
    scene = make_scene(300, 32, queries=10)
    subject = growing(scene, 1_000)
    found = freshness.measure(subject, scene.mixed(), phases=2, seconds=0.12)
    assert subject.added > 0
    assert len(subject.index) == 300 + subject.added
    assert found.lost == 0
    assert found.added_a_second > 0
    assert found.ratio > 0


def test_a_new_base_has_what_came_while_it_was_built() -> None:
    scene = make_scene(300, 32, queries=10)
    subject = growing(scene, 5_000)
    with subject._swap:
        subject.index = subject.index.changed(*subject._burst(0, 4_200), np.empty(0, np.int64))
        subject.added = 4_200
    assert subject.index.outgrown()
    with subject.adding():
        while not subject.folds:
            subject.index.search(scene.mixed()[:1], 10)
    subject.settle()
    assert len(subject.index) == 300 + subject.added
    assert len(subject.index.base.ids) >= 4_500
