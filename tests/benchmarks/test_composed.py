from __future__ import annotations

import numpy as np
import pytest

from benchmarks.composed import WAYS, along_the_arc, half, recall, summed


def test_half_of_a_caption_is_two_words_at_least() -> None:
    assert half("A brown dog runs over the grass .") == "A brown dog runs"
    assert half("Dogs play") == "Dogs play"


def test_recall_counts_what_is_above_the_right_one() -> None:
    gallery = np.eye(4, dtype=np.float32)
    queries = gallery.copy()
    queries[0] = [0.1, 0.9, 0.2, 0]  # two are nearer than its own
    assert [recall(queries, gallery, k) for k in (1, 2, 3)] == [75, 75, 100]


def test_half_way_along_the_arc_is_the_direction_of_the_sum() -> None:
    random = np.random.default_rng(0)
    texts, parts, gallery = (random.standard_normal((5, 8)).astype(np.float32) for _ in range(3))
    texts, parts = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (texts, parts))
    arc, total = along_the_arc(0.5)(texts, parts, gallery), summed(1.0)(texts, parts, gallery)
    cosines = (arc * total).sum(axis=1) / np.linalg.norm(arc, axis=1) / np.linalg.norm(total, axis=1)
    assert cosines == pytest.approx(np.ones(5), abs=1e-5)
    assert all(way(texts, parts, gallery).shape == (5, 8) for way in WAYS.values())
