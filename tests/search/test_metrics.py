"""Every figure of a small set worked out by hand: a tie, a duplicate caption, an image with seven captions."""

from __future__ import annotations

from math import isnan, log2

import numpy as np
import pytest

from search.evaluation import evaluate
from search.metrics import Ties, average_precision, figures, first_ranks, hits, ndcg
from search.ranks import RightRanks, rank_both, rank_right

# Image 2 is a copy of image 1. With these images, a caption's row is its scores: (image 0, images 1 and 2, image 3).
IMAGES = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
CAPTIONS = np.array(
    [
        [9, 1, 0],  # image 0 has seven captions
        [8, 1, 0],
        [7, 8, 0],
        [6, 7, 9],
        [5, 0, 0],
        [4, 0, 0],
        [0, 2, 1],
        [1, 6, 0],  # image 1
        [1, 6, 0],  # image 2: the same caption
        [8, 0, 5],  # image 3
        [0, 9, 3],
    ],
    dtype=np.float32,
)
OWNER = np.array([0] * 7 + [1, 2, 3, 3])
KS = (1, 2, 3, 5, 10)


@pytest.fixture(scope="module")
def by_text() -> RightRanks:
    return rank_both(IMAGES, CAPTIONS, OWNER)[0]


@pytest.fixture(scope="module")
def by_image() -> RightRanks:
    return rank_both(IMAGES, CAPTIONS, OWNER)[1]


def test_ranks_with_ties_in_order_against_and_in_favour(by_text: RightRanks, by_image: RightRanks) -> None:
    assert first_ranks(by_text).tolist() == [1, 1, 3, 4, 1, 1, 4, 1, 2, 2, 3]
    assert first_ranks(by_text, Ties.AGAINST).tolist() == [1, 1, 3, 4, 1, 1, 4, 2, 2, 2, 3]
    assert first_ranks(by_text, Ties.IN_FAVOUR).tolist() == [1, 1, 3, 4, 1, 1, 4, 1, 1, 2, 3]
    assert first_ranks(by_image).tolist() == [1, 4, 5, 2]
    assert first_ranks(by_image, Ties.AGAINST).tolist() == [1, 5, 5, 2]
    assert first_ranks(by_image, Ties.IN_FAVOUR).tolist() == [1, 4, 4, 2]


def test_text_to_image_by_hand(by_text: RightRanks) -> None:
    assert figures(by_text, KS)["R@1"] == pytest.approx(500 / 11)
    found = figures(by_text, KS, Ties.AGAINST)
    assert [found[f"R@{k}"] for k in KS] == pytest.approx([400 / 11, 700 / 11, 900 / 11, 100, 100], abs=1e-12)
    assert found["median_rank"] == 2
    assert found["mean_rank"] == pytest.approx(24 / 11)
    assert found["mAP@3"] == pytest.approx(100 * (4 + 3 / 2 + 2 / 3) / 11)
    assert found["nDCG@3"] == pytest.approx(100 * (4 + 3 / log2(3) + 2 / log2(4)) / 11)
    favour = figures(by_text, KS, Ties.IN_FAVOUR)
    assert favour["R@1"] == pytest.approx(600 / 11)
    assert favour["median_rank"] == 1
    assert favour["mean_rank"] == 2


def test_image_to_text_by_hand(by_image: RightRanks) -> None:
    found = figures(by_image, KS, Ties.AGAINST)
    assert [found[f"R@{k}"] for k in KS] == [25, 50, 50, 100, 100]
    assert found["median_rank"] == 3.5
    assert found["mean_rank"] == 13 / 4
    # Image 0's captions are at 1, 3, 4, 5, 6, 7 and 11; with the tie at its second, and one at its last.
    seven = (1 + 2 / 3 + 3 / 4 + 4 / 5 + 5 / 6 + 6 / 7) / 7
    assert found["mAP@10"] == pytest.approx(100 * (seven + 1 / 5 + 1 / 5 + (1 / 2 + 2 / 3) / 2) / 4)
    ideal = sum(1 / log2(j + 1) for j in range(1, 8))
    gain = sum(1 / log2(p + 1) for p in (1, 3, 4, 5, 6, 7))
    pair = (1 / log2(3) + 1 / log2(4)) / (1 + 1 / log2(3))
    assert found["nDCG@10"] == pytest.approx(100 * (gain / ideal + 2 / log2(6) + pair) / 4)
    # The two that tie with one of its captions stand after it: in order is in favour.
    expected = sum((j + 1) / p for j, p in enumerate([1, 2, 4, 5, 6, 7, 10])) / 7
    assert average_precision(by_image, 10, Ties.IN_FAVOUR)[0] == pytest.approx(expected)
    assert average_precision(by_image, 10, Ties.IN_ORDER)[0] == pytest.approx(expected)


def test_the_evaluation_reports_the_same(by_text: RightRanks, by_image: RightRanks) -> None:
    found = evaluate(IMAGES, CAPTIONS, OWNER, ks=KS)
    assert found.text_to_image.figures == figures(by_text, KS)
    assert found.text_to_image.against == figures(by_text, KS, Ties.AGAINST)
    assert found.image_to_text.in_favour == figures(by_image, KS, Ties.IN_FAVOUR)
    assert (found.text_to_image.tied, found.image_to_text.tied) == (2, 2)


def test_more_right_answers_than_k() -> None:
    # Seven right answers and nothing else: nDCG@3 is perfect, AP@3 counts the four it does not show.
    right = rank_right(np.ones((1, 1)), np.arange(7, 0, -1.0)[:, None], np.zeros(7, np.int64), np.arange(7))
    assert ndcg(right, 3).tolist() == [1.0]
    assert average_precision(right, 3).tolist() == [pytest.approx(3 / 7)]
    assert average_precision(right, 7).tolist() == [1.0]


def test_a_model_that_scores_everything_alike_is_as_good_as_chance() -> None:
    right = rank_right(np.zeros((20, 2)), np.zeros((20, 2)), np.arange(20), np.arange(20))
    assert figures(right, (1, 10))["R@10"] == 50
    assert figures(right, (1, 10), Ties.AGAINST)["R@10"] == 0
    assert figures(right, (1, 10), Ties.IN_FAVOUR)["R@1"] == 100


def test_no_queries_are_no_error_and_no_number() -> None:
    none = rank_right(np.zeros((0, 2)), np.zeros((3, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert all(isnan(value) for value in figures(none, (1,)).values())


@pytest.mark.parametrize("metric", [hits, average_precision, ndcg])
def test_k_under_one_is_refused(metric, by_text: RightRanks) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        metric(by_text, 0)
