"""By hand: which hit stands where, whatever page is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.vectors.segmented import SegmentedIndex
from search.rankings import Listed, Window
from search.words import fusion
from search.words.fusion import Fused, by_words


def window(ids: list[int], scores: list[float]) -> Window:
    return Window(np.array(ids, np.int64), np.array(scores, np.float32))


def listed(ids: list[int], scores: list[float]) -> Listed:
    return Listed(np.array(ids, np.int64), np.array(scores, np.float32))


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> Fused:
    """Of seven images the first four by meaning count; by words 6, 2 and 5 are found."""
    monkeypatch.setattr(fusion, "MEANT", 4)
    meaning = listed([1, 2, 3, 4, 5, 6, 7], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    return Fused(meaning, window([6, 2, 5], [0.4, 0.8, 0.5]))


def test_points_of_both_ranks_decide_and_equal_points_the_score(fused: Fused) -> None:
    # 2: 1/62 + 1/62; 1 and 6: 1/61 each; 3 and 5: 1/63 each; 4: 1/64; behind both: 7
    assert fused.window(0, 10).ids.tolist() == [2, 1, 6, 3, 5, 4, 7]
    assert fused.window(0, 10).scores is not None
    assert fused.window(0, 10).scores.tolist() == pytest.approx([0.8, 0.9, 0.4, 0.7, 0.5, 0.6, 0.3])  # type: ignore[union-attr]


def test_pages_join_without_gap_or_repeat(fused: Fused) -> None:
    whole = fused.window(0, 10).ids.tolist()
    for size in (1, 2, 3):
        pages = [fused.window(start, start + size).ids for start in range(0, 9, size)]
        assert np.concatenate(pages).tolist() == whole


def test_each_says_which_route_it_came_by(fused: Fused) -> None:
    routes = dict(zip([2, 1, 6, 7], fused.routes(np.array([2, 1, 6, 7])), strict=True))
    assert routes == {2: ("meaning", "words"), 1: ("meaning",), 6: ("words",), 7: ("meaning",)}


def test_levels_fall_and_are_the_scores_behind(fused: Fused) -> None:
    levels = fused.levels(fused.window(0, 10).ids)
    assert levels[:6] == pytest.approx([0.9, 0.9, 0.7, 0.7, 0.6, 0.6])
    assert levels[6] is None


def test_of_the_same_weight_the_nearest_comes_first() -> None:
    vectors = np.eye(4, dtype=np.float16)
    index = SegmentedIndex.build(np.array([10, 11, 12, 13]), vectors)
    vector = np.array([0.1, 0.3, 0.2, 0.9], np.float32)
    vector /= np.linalg.norm(vector)
    ids, weights = np.array([10, 11, 12, 99]), np.array([1.0, 0.1 + 0.2, 0.3, 2.0])  # 99 is not in the index
    assert by_words(index, vector, ids, weights, None).ids.tolist() == [10, 11, 12]
    assert by_words(index, vector, ids, weights, np.array([11, 12])).ids.tolist() == [11, 12]
    assert by_words(index, vector, ids, weights, np.array([13])).ids.tolist() == []
