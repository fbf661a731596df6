"""The backbone's two parts, and folders that hold none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from indexer.errors import ModelLoadFailed
from indexer.training.backbone import LABELS_FILE, MAP_SHAPE, LowerPart, UpperPart, load_backbone
from tests.indexer.training.madeup import write_backbone


def test_lower_and_upper_part_make_the_trunk(tmp_path: Path) -> None:
    backbone = load_backbone(write_backbone(tmp_path / "backbone"))
    planes = torch.rand(2, 3, 225, 224) * 2 - 1
    with torch.inference_mode():
        maps = LowerPart(backbone.trunk)(planes)
        pooled = UpperPart(backbone.trunk)(maps)
        assert torch.equal(pooled, backbone.trunk(planes))
    rows, columns, channels = MAP_SHAPE
    assert maps.shape == (2, channels, rows, columns)
    assert backbone.logits(pooled).shape == (2, 6)


def test_training_the_upper_part_trains_the_trunk(tmp_path: Path) -> None:
    trunk = load_backbone(write_backbone(tmp_path / "backbone")).trunk
    ours = {id(parameter) for part in (LowerPart(trunk), UpperPart(trunk)) for parameter in part.parameters()}
    assert ours == {id(parameter) for parameter in trunk.parameters()}


def test_a_folder_without_a_backbone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadFailed, match="cannot load model"):
        load_backbone(tmp_path)


def test_labels_of_another_classifier_are_refused(tmp_path: Path) -> None:
    folder = write_backbone(tmp_path / "backbone")
    (folder / LABELS_FILE).write_text("background\nthing\n")
    with pytest.raises(ModelLoadFailed, match="1 classes, of 6"):
        load_backbone(folder)
