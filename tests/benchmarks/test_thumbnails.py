"""The benchmark of thumbnails reads what it says it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import thumbnails
from benchmarks.photos import captioned
from tests.indexer.training.madeup import write_shards
from tests.palette import PaletteEncoder

ENCODER: Any = PaletteEncoder()


def test_every_way_has_its_picture(tmp_path: Path) -> None:
    shard = write_shards(tmp_path / "shards") / "flickr8k-train.tar"
    photos = thumbnails.Photos(tmp_path / "photos")
    state = photos.add(next(captioned(shard)).jpeg, 0.3, 0)
    origins = {name: way.get(state, ENCODER.manifest).origin for name, way in photos.ways.items()}
    assert origins == {"the file": "file", "320 px": "thumbnail", "1280 px": "thumbnail"}


def test_lines_and_goals(tmp_path: Path) -> None:
    examples = list(captioned(write_shards(tmp_path / "shards") / "flickr8k-train.tar"))[:3]
    lines = {line.name: line for line in thumbnails.likeness(tmp_path, examples, 0.3, ENCODER)}
    assert lines["0.3 MP, 3 photos, 320 px: cosine to the file's, the lowest"].goal == 0.999
    assert 0.9 < float(lines["0.3 MP, 3 photos, 1280 px: cosine, median"].value) <= 1.001
    assert "0.3 MP, 3 photos, the file: text->image R@10, %" in lines
    timed = [line.value for line in thumbnails.speed(tmp_path, examples, 0.3, ENCODER)]
    assert len(timed) == 5
    assert all(float(value) > 0 for value in timed)
