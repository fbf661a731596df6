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
        ({"train": "head"}, "--train must be all or text or adapter or lora"),
        ({"lora_rank": 8}, "--lora-rank and --lora-alpha belong to --train lora"),
        ({"train": "text", "lora_alpha": 8.0}, "--lora-rank and --lora-alpha belong to --train lora"),
        ({"train": "lora", "lora_rank": 0}, "--lora-rank must be 1 to"),
        ({"train": "adapter", "chunk": 8}, "--chunk and --save-memory save nothing"),
        ({"train": "adapter", "save_memory": True}, "--chunk and --save-memory save nothing"),
        ({"train": "adapter", "freeze_batch_norm": False}, "--train-batch-norm has no effect"),
        ({"chunk": 8, "freeze_batch_norm": False}, "--chunk and --train-batch-norm exclude each other"),
    ],
)
def test_what_cannot_be_is_said_with_the_option(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTraining, match=message):
        Recipe(**choice)


def test_settings_are_what_the_defaults_stand_for() -> None:
    assert Recipe().settings()["learning_rate"] == Recipe(learning_rate=1e-4).settings()["learning_rate"]
    low_rank = Recipe(train="lora", lora_rank=4).settings()
    assert (low_rank["lora_rank"], low_rank["lora_alpha"]) == (4, 8.0)
    assert low_rank["learning_rate"] > Recipe().settings()["learning_rate"]
    assert not {"lora_rank", "lora_alpha", "chunk"} & set(Recipe().settings())
