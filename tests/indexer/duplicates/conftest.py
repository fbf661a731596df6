"""A folder of photos, some of them there twice, and its collection."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageEnhance

from indexer.collection import Collection
from indexer.duplicates.finding import DuplicatesReport, find_duplicates
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.palette import PaletteEncoder
from tests.pictures import encoded, exif, photo, write

SIZE = 160, 120


def fill(folder: Path) -> None:
    """Six photos; of 0 a copy, a re-encoded, a small and a bright one, and a part; two frames a second apart."""
    for seed in range(6):
        write(folder / f"{seed}.jpg", photo(*SIZE, seed=seed))
    picture = photo(*SIZE, seed=0)
    write(folder / "0-copy.jpg", (folder / "0.jpg").read_bytes())
    write(folder / "0-webp.webp", encoded(picture, "WEBP", quality=60))
    write(folder / "0-small.jpg", picture.resize((80, 60)))
    write(folder / "0-bright.jpg", ImageEnhance.Brightness(picture).enhance(1.2))
    write(folder / "0-part.jpg", picture.crop((20, 10, 140, 110)))
    for second in range(2):
        moment = exif(taken_at=f"2024:05:11 17:42:0{second}", make="Acme", model="One")
        frame = photo(*SIZE, seed=9).transform(SIZE, 0, (1, 0, second * 3, 0, 1, 0))  # type: ignore[arg-type]
        write(folder / f"frame-{second}.jpg", encoded(frame, exif=moment))


def index(folder: Path, library: Path) -> None:
    encoder = PaletteEncoder()
    with Collection.open_or_create(library, encoder.manifest) as collection:
        report = sync(collection, encoder, FolderSource(folder))
    assert report.failed == 0


def run(collection: Collection) -> DuplicatesReport:
    return find_duplicates(collection, lambda done, total, doing: None)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    fill(tmp_path / "photos")
    index(tmp_path / "photos", tmp_path / "library")
    return tmp_path / "library"
