"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from indexer.training.losses import one_way_loss, said_by_others, same_group, sigmoid_loss, softmax_loss

ROWS = torch.eye(2)
ONE = torch.tensor(1.0)
NONE_IGNORED = torch.zeros(2, 2, dtype=torch.bool)


def test_softmax_of_two_pairs() -> None:
    # logits are [[1, 0], [0, 1]]: -log(e / (e + 1)) in every row and column
    expected = math.log(1 + math.exp(-1))
    assert float(softmax_loss(ROWS, ROWS, ONE, None, NONE_IGNORED)) == pytest.approx(expected)


def test_sigmoid_of_two_pairs() -> None:
    # two right pairs at 1 - 0.5 and two wrong ones at 0 - 0.5, over n = 2
    expected = (2 * math.log(1 + math.exp(-0.5)) + 2 * math.log(1 + math.exp(-0.5))) / 2
    assert float(sigmoid_loss(ROWS, ROWS, ONE, torch.tensor(-0.5), NONE_IGNORED)) == pytest.approx(expected)


def test_the_same_caption_is_no_wrong_answer() -> None:
    ignored = said_by_others(["A dog", "a  DOG"])
    assert ignored.tolist() == [[False, True], [True, False]]
    assert float(softmax_loss(ROWS, ROWS, ONE, None, ignored)) == 0
    expected = math.log(1 + math.exp(-1))  # the two right pairs alone, over n = 2
    assert float(sigmoid_loss(ROWS, ROWS, ONE, None, ignored)) == pytest.approx(expected)
    assert not said_by_others(["a dog", "a cat"]).any()


def test_the_same_group_is_no_wrong_answer() -> None:
    assert same_group([3, 5, 3]).tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    rows = torch.nn.functional.normalize(torch.ones(3, 4), dim=1)
    assert float(softmax_loss(rows, rows, torch.tensor(9.0), None, same_group([0, 0, 0]))) == 0.0


def test_softmax_loss_is_the_mean_of_both_ways() -> None:
    images, texts = torch.tensor([[1.0, 0.0], [0.6, 0.8]]), torch.eye(2)
    there = one_way_loss(images, texts, 2.0, NONE_IGNORED)
    # picture 1 has cosines 1 and 0 with the texts, picture 2 has 0.6 and 0.8
    assert float(there) == pytest.approx((math.log(1 + math.exp(-2.0)) + math.log(1 + math.exp(-0.4))) / 2)
    back = one_way_loss(texts, images, 2.0, NONE_IGNORED)
    assert float(softmax_loss(images, texts, torch.tensor(2.0), None, NONE_IGNORED)) == pytest.approx(
        float(there + back) / 2
    )
