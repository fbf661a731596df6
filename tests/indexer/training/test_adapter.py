"""A linear map on top of tiny models of every kind: folded in, it is the same model as with the map on top."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from indexer.encoder import load_parts
from indexer.training.adapter import Adapter
from indexer.training.heldout import Embedded
from indexer.training.recipe import Recipe
from indexer.training.towers import TrainableTowers
from tests.checkpoints import DIMENSION, IMAGE_SIZE, Kind, make_checkpoint

WORDS = ["red dog", "the blue", "and"]


@pytest.mark.parametrize("kind", ["clip", "siglip", "convolutional"])
def test_folded_it_is_an_ordinary_model_that_says_the_same(tmp_path: Path, kind: Kind) -> None:
    parts = load_parts(f"local-dir:{make_checkpoint(tmp_path, kind=kind)}")
    before = {name: value.clone() for name, value in parts.model.state_dict().items()}
    towers = TrainableTowers(parts, Recipe(train="adapter"), "cpu")
    adapter = Adapter(towers, parts)
    adapter.learn_captions(WORDS)
    pixels = torch.randint(0, 256, (3, 3, IMAGE_SIZE, IMAGE_SIZE), dtype=torch.uint8)
    with torch.no_grad():
        rows = towers.images(pixels)
        assert torch.allclose(adapter.images(rows), rows, atol=1e-6)  # it begins as the model it was
        for group in adapter.parameter_groups(0.1)[:1]:
            for learned in group["params"]:
                learned.normal_(std=0.5)
        images, texts = adapter.images(rows), adapter.texts(WORDS)
        adapter.finish()
        assert torch.allclose(towers.images(pixels), images, atol=1e-5)
        assert torch.allclose(towers.texts(WORDS), texts, atol=1e-5)
    after = parts.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all("proj" in name for name in moved), moved


def test_its_state_is_small_and_enough_to_go_on(tmp_path: Path) -> None:
    one, other = (
        Adapter(TrainableTowers(parts, Recipe(train="adapter"), "cpu"), parts)
        for parts in (load_parts(f"local-dir:{make_checkpoint(tmp_path)}") for _ in range(2))
    )
    with torch.no_grad():
        for group in one.parameter_groups(0.1):
            for parameter in group["params"]:
                parameter.add_(0.25)
    state = one.state()
    assert set(state) == {"image map", "text map", "temperature"}
    assert set(state["temperature"]) == {"logit_scale"}
    other.load(state)
    rows = torch.nn.functional.normalize(torch.randn(4, DIMENSION), dim=-1)
    with torch.no_grad():
        assert torch.equal(one.images(rows), other.images(rows))
    assert torch.equal(one.scale, other.scale)


def test_what_is_held_out_is_mapped_likewise(tmp_path: Path) -> None:
    parts = load_parts(f"local-dir:{make_checkpoint(tmp_path)}")
    towers = TrainableTowers(parts, Recipe(train="adapter"), "cpu")
    adapter = Adapter(towers, parts)
    adapter.learn_captions(WORDS)
    with torch.no_grad():
        texts = towers.texts(WORDS)
        for learned in adapter.parameter_groups(0.1)[0]["params"]:
            learned.normal_()
        applied = adapter.applied(Embedded((texts, texts), (0, 1, 2)))
        assert torch.equal(applied.rows[0], adapter.images(texts))
        assert torch.equal(applied.rows[1], adapter.texts(WORDS))
