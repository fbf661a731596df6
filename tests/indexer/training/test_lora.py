"""Low-rank updates on tiny models of every kind: what moves, and that merging changes no embedding."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from indexer.encoder import load_parts
from indexer.errors import BrokenInstallation
from indexer.training.recipe import Recipe
from indexer.training.towers import TrainableTowers
from tests.checkpoints import IMAGE_SIZE, Kind, make_checkpoint

WORDS = ["red dog", "the blue", "and"]
PIXELS = torch.randint(0, 256, (3, 3, IMAGE_SIZE, IMAGE_SIZE), dtype=torch.uint8)


def updated(folder: Path, kind: Kind, **recipe: Any) -> TrainableTowers:
    """Towers whose updates are not zero any more."""
    parts = load_parts(f"local-dir:{make_checkpoint(folder / 'model', kind=kind)}")
    towers = TrainableTowers(parts, Recipe(train="lora", **recipe), "cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in towers.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    towers.model.eval()
    return towers


def rows(towers: TrainableTowers) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([towers.images(PIXELS), towers.texts(WORDS)])


@pytest.mark.parametrize("kind", ["clip", "siglip", "convolutional"])
def test_merged_weights_give_the_same_embeddings_in_an_ordinary_model(tmp_path: Path, kind: Kind) -> None:
    plain = load_parts(f"local-dir:{make_checkpoint(tmp_path / 'plain', kind=kind)}").model.state_dict()
    towers = updated(tmp_path, kind, lora_rank=2)
    before = rows(towers)
    towers.finish()
    assert torch.allclose(before, rows(towers), atol=1e-5)
    merged = towers.state()
    assert merged.keys() == plain.keys()
    moved = {name for name in plain if not torch.equal(plain[name], merged[name])}
    assert any(name.startswith("visual.") for name in moved)
    assert any(name.endswith("attn.in_proj_weight") for name in moved - {n for n in moved if n.startswith("visual")})
    assert any(name.endswith("attn.out_proj.weight") for name in moved)
    assert not any(name.endswith(("token_embedding.weight", "ln_final.weight", ".bias")) for name in moved)


def test_only_the_updates_and_the_temperature_move(tmp_path: Path) -> None:
    towers = updated(tmp_path, "siglip", lora_rank=2, loss="sigmoid")
    moving = {name for name, parameter in towers.model.named_parameters() if parameter.requires_grad}
    assert {"logit_scale", "logit_bias"} < moving
    assert all("lora_" in name for name in moving - {"logit_scale", "logit_bias"})
    trained = sum(p.numel() for group in towers.parameter_groups(0.1) for p in group["params"])
    assert trained < 0.2 * sum(p.numel() for p in towers.model.parameters())


def test_it_begins_as_the_model_it_was(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model")
    plain, low_rank = (
        TrainableTowers(load_parts(f"local-dir:{folder}"), Recipe(train=train), "cpu") for train in ("all", "lora")
    )
    for towers in (plain, low_rank):
        towers.eval()
    assert torch.allclose(rows(plain), rows(low_rank), atol=1e-6)


def test_without_peft_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = load_parts(f"local-dir:{make_checkpoint(tmp_path / 'model')}")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(BrokenInstallation, match="'peft'; run `pip install peft`"):
        TrainableTowers(parts, Recipe(train="lora"), "cpu")
