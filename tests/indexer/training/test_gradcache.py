"""Gradients of a batch in chunks against those of the batch as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from indexer.encoder import load_parts
from indexer.training.batches import Batch
from indexer.training.gradcache import backward_in_chunks
from indexer.training.losses import said_by_others, sigmoid_loss, softmax_loss
from indexer.training.recipe import Recipe
from indexer.training.towers import TrainableTowers
from tests.checkpoints import IMAGE_SIZE, Kind, make_checkpoint

WORDS = ["red dog", "the blue", "and", "red", "dog", "The Blue", "blue dog"]


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    return Batch(torch.randint(0, 256, (len(WORDS), 3, IMAGE_SIZE, IMAGE_SIZE), dtype=torch.uint8), WORDS)


def make_towers(folder: Path, kind: Kind = "clip", **recipe: Any) -> TrainableTowers:
    towers = TrainableTowers(load_parts(f"local-dir:{make_checkpoint(folder, kind=kind)}"), Recipe(**recipe), "cpu")
    towers.train()
    return towers


def gradients(
    towers: TrainableTowers, batch: Batch, chunk: int | None, loss: Any, seed: int = 1
) -> dict[str, torch.Tensor]:
    ignored = said_by_others(batch.captions)

    def loss_of(images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = loss(images, texts, towers.scale, towers.bias, ignored)
        return made

    towers.model.zero_grad()
    torch.manual_seed(seed)
    if chunk is None:
        loss_of(towers.images(batch.images), towers.texts(batch.captions)).backward()
    else:
        backward_in_chunks(towers, batch, chunk, loss_of)
    return {name: p.grad.clone() for name, p in towers.model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(
    ("recipe", "loss"),
    [
        ({}, softmax_loss),
        ({"loss": "sigmoid"}, sigmoid_loss),
        ({"train": "text"}, softmax_loss),
        ({"train": "lora"}, softmax_loss),
        ({"save_memory": True}, softmax_loss),
    ],
)
def test_they_are_the_same(tmp_path: Path, batch: Batch, recipe: dict[str, Any], loss: Any) -> None:
    towers = make_towers(tmp_path / "model", **recipe)
    whole = gradients(towers, batch, None, loss)
    chunked = gradients(towers, batch, 3, loss)
    assert whole.keys() == chunked.keys()
    assert "logit_scale" in whole
    for name, gradient in whole.items():
        assert torch.allclose(gradient, chunked[name], rtol=1e-4, atol=1e-6), name


def test_they_are_the_same_in_bfloat16_but_for_its_rounding(tmp_path: Path, batch: Batch) -> None:
    towers = make_towers(tmp_path / "model", precision="bfloat16")
    whole, chunked = (gradients(towers, batch, chunk, softmax_loss) for chunk in (None, 3))
    a, b = (torch.cat([gradient.reshape(-1) for gradient in found.values()]) for found in (whole, chunked))
    assert torch.nn.functional.cosine_similarity(a, b, dim=0) > 0.999


def test_each_half_of_a_batch_would_give_others(tmp_path: Path, batch: Batch) -> None:
    """Otherwise the tests above would say nothing."""
    towers = make_towers(tmp_path / "model")
    whole = gradients(towers, batch, None, softmax_loss)
    half = gradients(towers, Batch(batch.images[:4], WORDS[:4]), None, softmax_loss)
    assert not torch.allclose(whole["text_projection"], half["text_projection"], rtol=0.05)


def test_dropout_leaves_out_the_same_numbers_again(tmp_path: Path, batch: Batch) -> None:
    """A chunk as large as the batch draws what the whole batch draws, in both of its passes."""
    towers = make_towers(tmp_path / "model", kind="convolutional")
    towers.model.visual.head.drop.p = 0.5
    whole, chunked = (gradients(towers, batch, chunk, softmax_loss) for chunk in (None, len(WORDS)))
    other = gradients(towers, batch, len(WORDS), softmax_loss, seed=2)
    name = "visual.head.proj.weight"
    assert torch.allclose(whole[name], chunked[name], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(whole[name], other[name], rtol=1e-2, atol=1e-4)


def test_randomness_goes_on_after_it_as_after_one_pass(tmp_path: Path, batch: Batch) -> None:
    towers = make_towers(tmp_path / "model", kind="convolutional")
    towers.model.visual.head.drop.p = 0.5
    after = []
    for chunk in (None, len(WORDS)):
        gradients(towers, batch, chunk, softmax_loss)
        after.append(torch.rand(4))
    assert torch.equal(*after)


def test_a_loss_that_is_not_a_number_adds_nothing(tmp_path: Path, batch: Batch) -> None:
    towers = make_towers(tmp_path / "model")
    assert not gradients(towers, batch, 3, lambda *args: softmax_loss(*args) * float("nan"))
