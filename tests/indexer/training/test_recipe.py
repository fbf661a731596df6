from __future__ import annotations

from typing import Any

import pytest

from indexer.errors import InvalidTraining
from indexer.training.recipe import Recipe


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"batch_size": 1}, "--batch-size must be 2 to .* no wrong answer"),
        ({"learning_rate": float("nan")}, "--learning-rate"),
        ({"epochs": 0}, "--epochs"),
        ({"loss": "triplet"}, "--loss must be softmax or sigmoid, not 'triplet'"),
        ({"precision": "float16"}, "--precision"),
    ],
)
def test_what_is_out_of_range_is_said_with_the_option(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTraining, match=message):
        Recipe(**choice)
