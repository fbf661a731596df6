"""The learning rate over the steps, and the average of the weights."""

from __future__ import annotations

import pytest
import torch

from indexer.training.schedule import RunningAverage, warm_cosine


def test_up_in_a_line_and_down_along_a_cosine() -> None:
    assert warm_cosine(0, 1000, 10) == pytest.approx(0.1)
    assert warm_cosine(500, 1000, 10) == pytest.approx(0.5)
    assert 0 < warm_cosine(999, 1000, 10) < 1e-5


def test_average_is_kept_and_applied() -> None:
    weight = torch.nn.Parameter(torch.tensor([0.0]))
    average = RunningAverage([weight])
    for value in (1.0, 2.0):
        weight.data.fill_(value)
        average.update(0.5)
    average.apply()
    assert float(weight.detach()) == 1.25  # 0 -> 0.5 -> 1.25
