"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from indexer.training.losses import said_by_others, sigmoid_loss, softmax_loss

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
