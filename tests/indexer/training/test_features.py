"""Features are computed once, and found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.errors import InvalidDataset
from indexer.training.backbone import Backbone, UpperPart, load_backbone
from indexer.training.features import FeatureStore, pool
from indexer.training.views import View
from tests.indexer.training.madeup import jpeg, write_backbone
from tests.palette import COLOURS

PICTURES = [jpeg(COLOURS["red"]), jpeg(COLOURS["blue"]), jpeg(COLOURS["white"])]
VIEWS = (View("whole"), View("crop", 1))


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return load_backbone(write_backbone(tmp_path_factory.mktemp("features") / "backbone"))


def test_they_are_those_of_the_trunk(tmp_path: Path, backbone: Backbone) -> None:
    features = FeatureStore(tmp_path, backbone).features("colours", PICTURES, VIEWS)
    assert len(features) == 3
    assert features.pooled.shape == (2, 3, 1280)
    assert [maps.shape for maps in features.maps] == [(3, 15, 14, 96)] * 2
    pixels = np.stack([View("whole").pixels(picture, i) for i, picture in enumerate(PICTURES)])
    with torch.inference_mode():
        expected = backbone.trunk(torch.from_numpy(pixels / 127.5 - 1).permute(0, 3, 1, 2))
    assert torch.allclose(features.pooled[0], expected, rtol=0.02, atol=0.02)  # by way of float16
    assert torch.equal(pool(UpperPart(backbone.trunk), features.maps[0]), features.pooled[0])


def test_they_are_found_again_by_pictures_and_view(
    tmp_path: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = FeatureStore(tmp_path, backbone).features("colours", PICTURES, VIEWS)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4  # maps and pooled features of two views
    monkeypatch.setattr(View, "pixels", None)  # nothing is decoded
    again = FeatureStore(tmp_path, backbone).features("colours", PICTURES, VIEWS)
    assert torch.equal(first.pooled, again.pooled)
    monkeypatch.undo()
    FeatureStore(tmp_path, backbone).features("colours", PICTURES[:2], VIEWS[:1])
    assert len(list(tmp_path.iterdir())) == 6


def test_a_damaged_picture_is_named(tmp_path: Path, backbone: Backbone) -> None:
    with pytest.raises(InvalidDataset, match=r"'colours'.*pictures 0 to 1"):
        FeatureStore(tmp_path, backbone).features("colours", [PICTURES[0], b"no picture"], VIEWS)
