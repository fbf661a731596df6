from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.heat_map import SIDE, Scene, measure, scene, score
from indexer.training.shards import Example
from tests.palette import COLOURS, PaletteEncoder
from tests.pictures import encoded, plain


def examples() -> list[Example]:
    return [Example(name, encoded(plain(name)), (), name) for name in COLOURS if name not in ("black", "white", "gray")]


def test_a_scene_has_each_label_once_and_one_not_at_all() -> None:
    drawn = scene(examples(), 2, random.Random(0))
    pixels = np.asarray(Image.open(io.BytesIO(drawn.picture)))
    assert pixels.shape == (SIDE, SIDE, 3)
    middles = [tuple(pixels[y, x]) for y in (56, 168) for x in (56, 168)]
    names = [min(COLOURS, key=lambda name: np.abs(np.subtract(COLOURS[name], middle)).sum()) for middle in middles]
    assert len(set(names)) == 4
    assert names[drawn.tile] == drawn.label
    assert drawn.absent not in names


def test_scores_by_hand() -> None:
    asked = Scene(b"", 2, 1, "", "")  # top right
    right = np.zeros((SIDE, SIDE), np.float32)
    right[: SIDE // 2, SIDE // 2 :] = 4
    found = score(right, asked)
    assert found.hit
    assert (found.share, found.iou) == pytest.approx((1, 1))
    left = right[:, ::-1].copy()
    found = score(left, asked)
    assert not found.hit
    assert (found.share, found.iou) == pytest.approx((0, 0))
    top = np.zeros((SIDE, SIDE), np.float32)
    top[: SIDE // 2] = 1
    assert score(top, asked).share == pytest.approx(0.5)


def test_shards_with_too_few_labels_are_measured_as_far_as_they_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.heat_map.read_shard", lambda path: examples()[:4])
    assert measure(tmp_path / "few.tar", PaletteEncoder(), scenes=1, covered=1, seed=0) == []
