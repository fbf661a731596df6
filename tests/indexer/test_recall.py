"""The recall kernel against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from indexer.recall import count_group_ranks, count_ranks, recall_at, recalls


def test_rank_is_the_number_of_scores_above_the_right_one() -> None:
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.3, 0.1], [0.7, 0.8, 0.6]], dtype=np.float32)
    ranks = count_ranks(scores, np.array([0, 2, 0]))
    assert ranks.best.tolist() == [0, 2, 1]
    assert ranks.worst.tolist() == [0, 2, 1]
    assert len(ranks) == 3


def test_ties_are_reported_both_ways() -> None:
    scores = np.array([[0.5, 0.5, 0.5, 0.9], [0.1, 0.4, 0.4, 0.2]])
    ranks = count_ranks(scores, np.array([1, 2]))
    assert ranks.best.tolist() == [1, 0]
    assert ranks.worst.tolist() == [3, 1]


def test_a_model_that_scores_everything_alike_gets_nothing_when_ties_count_against() -> None:
    ranks = count_ranks(np.zeros((20, 20)), np.arange(20))
    assert recall_at(1, ranks.best) == 1.0
    assert recall_at(10, ranks.worst) == 0.0


def test_recall_at_each_k_by_hand() -> None:
    ranks = np.array([0, 0, 3, 4, 5, 9, 10, 11])
    assert recall_at(1, ranks) == 2 / 8
    assert recall_at(5, ranks) == 4 / 8
    assert recall_at(10, ranks) == 6 / 8
    assert recall_at(1000, ranks) == 1.0


def test_recalls_counts_ties_against() -> None:
    scores = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert recalls(count_ranks(scores, np.array([0, 1])), (1, 2)) == {1: 0.5, 2: 1.0}


def test_group_rank_is_that_of_the_best_own_item() -> None:
    # Image 0 owns captions 0 and 1, image 1 owns captions 2 and 3.
    owner = np.array([0, 0, 1, 1])
    scores = np.array([[0.1, 0.7, 0.8, 0.2], [0.9, 0.6, 0.5, 0.4]])
    ranks = count_group_ranks(scores, owner)
    assert ranks.best.tolist() == [1, 2]
    assert ranks.worst.tolist() == [1, 2]


def test_own_items_that_tie_do_not_count_against_a_group() -> None:
    owner = np.array([0, 0, 1, 1])
    scores = np.array([[0.5, 0.5, 0.5, 0.1], [0.3, 0.3, 0.3, 0.3]])
    ranks = count_group_ranks(scores, owner)
    assert ranks.best.tolist() == [0, 0]
    assert ranks.worst.tolist() == [1, 2]


def test_groups_of_one_agree_with_single_ranks() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (30, 30)).astype(np.float32)  # few values, so many ties
    single, group = count_ranks(scores, np.arange(30)), count_group_ranks(scores, np.arange(30))
    assert single.best.tolist() == group.best.tolist()
    assert single.worst.tolist() == group.worst.tolist()


def test_no_queries_are_no_error_and_no_number() -> None:
    ranks = count_ranks(np.zeros((0, 7)), np.zeros(0, dtype=np.int64))
    assert len(ranks) == 0
    assert math.isnan(recall_at(10, ranks.best))
    assert len(count_group_ranks(np.zeros((0, 0)), np.zeros(0, dtype=np.int64))) == 0


def test_one_item_is_always_first() -> None:
    assert recalls(count_ranks(np.zeros((1, 1)), np.array([0]))) == {1: 1.0, 5: 1.0, 10: 1.0}


@pytest.mark.parametrize(
    ("scores", "right", "match"),
    [
        (np.zeros(3), np.zeros(3, dtype=np.int64), "shape"),
        (np.zeros((3, 2)), np.zeros(2, dtype=np.int64), "shape"),
        (np.zeros((2, 2)), np.array([0, 2]), "out of range"),
        (np.zeros((2, 2)), np.array([-1, 0]), "out of range"),
        (np.array([[np.nan, 0.0]]), np.array([1]), "NaN"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores: np.ndarray, right: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        count_ranks(scores, right)


def test_a_query_without_an_item_is_refused() -> None:
    with pytest.raises(ValueError, match="own at least one"):
        count_group_ranks(np.zeros((2, 2)), np.array([0, 0]))


def test_k_under_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        recall_at(0, np.array([0]))
