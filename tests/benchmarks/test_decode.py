"""What the benchmark of decoding compares is what it says."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import decode
from benchmarks.photos import as_file, enlarged, files
from indexer.images import Preprocessing
from tests.indexer.training.madeup import write_shards
from tests.palette import PaletteEncoder
from tests.pictures import encoded, photo


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("made") / "shards") / "flickr8k-train.tar"


def test_photos_are_as_large_as_asked_for_and_have_grain() -> None:
    jpeg = encoded(Image.new("RGB", (160, 120), (90, 120, 200)))
    large = enlarged(jpeg, 0.3)
    assert large.width * large.height == pytest.approx(0.3e6, rel=0.01)
    assert large.width / large.height == pytest.approx(4 / 3, rel=0.01)
    assert float(np.asarray(large, np.float32)[..., 0].std()) == pytest.approx(4, rel=0.1)
    assert np.array_equal(large, enlarged(jpeg, 0.3))
    assert Image.open(BytesIO(as_file(large, "PNG"))).format == "PNG"


def test_files_of_their_own_size_are_the_shards(shard: Path) -> None:
    few = files(shard, None, 2)
    assert len(few) == 2
    assert files(shard, 0.1, 1)[0] != few[0]


@pytest.mark.parametrize("mode", ["shortest", "squash"])
def test_pillow_plain_has_open_clips_pixels(mode: Any) -> None:
    from indexer.torchvision_ops import ensure_torchvision_ops

    ensure_torchvision_ops()
    from open_clip.transform import image_transform

    preprocessing = Preprocessing(64, 64, mode, "bicubic", (0.0,) * 3, (1.0,) * 3)
    picture = photo(300, 201)
    data = encoded(picture, "PNG")
    transform = image_transform((64, 64), is_train=False, mean=(0,) * 3, std=(1,) * 3, resize_mode=mode)
    want = np.asarray(transform(picture)).transpose(1, 2, 0) * 255
    assert np.abs(decode.pillow_plain(data, preprocessing) - want).max() <= 0.01
    assert decode.psnr(decode.sightline(data, preprocessing), decode.pillow_plain(data, preprocessing)) > 45


def test_psnr_by_hand() -> None:
    black = np.zeros((2, 2, 3), np.uint8)
    assert decode.psnr(black, black) == 99
    assert decode.psnr(black, black + 255) == pytest.approx(0)
    assert decode.psnr(black, black + 51) == pytest.approx(20 * np.log10(5))


def test_speed_and_likeness_of_one_size(shard: Path) -> None:
    lines = {line.name: line for line in decode.speed(shard, 0.2, 2, 0.5)}
    goal = lines["0.2 MP, Sightline: times faster than Pillow plain"]
    assert goal.goal == 0.5
    assert float(goal.value) > 0
    worst = [
        float(lines[f"0.2 MP, {name}: PSNR to Pillow plain, the worst photo, dB"].value)
        for name in decode.WAYS
        if name != "Pillow plain"
    ]
    assert 30 < worst[1] <= worst[0]


def test_what_faster_decoding_costs_is_measured_with_captions(shard: Path) -> None:
    lines = {
        line.name.partition("photos, ")[2]: float(line.value)
        for line in decode.accuracy(shard, PaletteEncoder(), 0.1, 6)
    }
    assert lines["Sightline: cosine to Pillow plain, the lowest"] > 0.99
    assert lines["Pillow plain: text->image R@10, %"] == 100
