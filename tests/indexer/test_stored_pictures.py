"""A picture to be embedded once more: from its file, from a thumbnail that is large enough, or from what there is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import UnreadableImage
from indexer.images import Preprocessing
from indexer.records import FileState
from indexer.stored_pictures import Files, ThumbnailsFirst, times_larger
from indexer.thumbnails import Side, ThumbnailFolder, make_thumbnail
from tests.palette import PaletteEncoder
from tests.pictures import encoded, photo, write

MANIFEST = PaletteEncoder().manifest
"""Takes 16 x 16."""


@pytest.fixture
def file(tmp_path: Path) -> FileState:
    """Of 400 x 300 px."""
    path = tmp_path / "photo.jpg"
    write(path, photo(400, 300))
    data = path.read_bytes()
    return FileState(1, str(path), len(data), path.stat().st_mtime_ns, hashlib.sha256(data).hexdigest())


def keep(library: Path, file: FileState, data: bytes, side: Side = Side.TILE) -> None:
    place = ThumbnailFolder(library).path(file.content_hash, side)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def grey(width: int, height: int) -> bytes:
    """A thumbnail that tells itself from the picture."""
    return encoded(photo(width, height).convert("L"), "JPEG")


def is_grey(pixels: np.ndarray) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def test_times_larger_is_that_of_the_side_with_least_to_spare() -> None:
    squash = Preprocessing(225, 224, "squash", "bicubic", (0.5,) * 3, (0.5,) * 3)
    shortest = Preprocessing(100, 100, "shortest", "bicubic", (0.5,) * 3, (0.5,) * 3)
    assert times_larger((1280, 900), squash) == 4.0
    assert times_larger((320, 200), shortest) == 2.0


def test_files_are_read_and_must_be_what_was_indexed(file: FileState) -> None:
    picture = Files().get(file, MANIFEST)
    assert (picture.origin, picture.pixels.shape) == ("file", (16, 16, 3))
    write(Path(file.path), photo(400, 300, seed=1))
    with pytest.raises(UnreadableImage, match="it has changed since it was indexed"):
        Files().get(file, MANIFEST)


def test_a_thumbnail_that_is_large_enough_is_taken_and_no_smaller_one(tmp_path: Path, file: FileState) -> None:
    pictures = ThumbnailsFirst(tmp_path / "library", margin=2.0)
    assert pictures.get(file, MANIFEST).origin == "file"
    keep(tmp_path / "library", file, grey(40, 31))
    assert pictures.get(file, MANIFEST).origin == "file"
    keep(tmp_path / "library", file, grey(40, 32), Side.LARGE)
    picture = pictures.get(file, MANIFEST)
    assert picture.origin == "thumbnail"
    assert is_grey(picture.pixels)


def test_a_damaged_thumbnail_is_passed_over(tmp_path: Path, file: FileState) -> None:
    keep(tmp_path / "library", file, grey(320, 240)[:600])
    assert ThumbnailsFirst(tmp_path / "library").get(file, MANIFEST).origin == "file"


def test_where_the_file_is_away_a_small_thumbnail_will_do(tmp_path: Path, file: FileState) -> None:
    pictures = ThumbnailsFirst(tmp_path / "library", margin=30.0)
    keep(tmp_path / "library", file, make_thumbnail(Path(file.path).read_bytes(), Side.TILE))
    want = pictures.get(file, MANIFEST)
    Path(file.path).unlink()
    picture = pictures.get(file, MANIFEST)
    assert (want.origin, picture.origin) == ("file", "small thumbnail")
    assert np.abs(picture.pixels.astype(int) - want.pixels).mean() < 2
    keep(tmp_path / "library", file, grey(20, 15))  # smaller than what the model takes
    with pytest.raises(UnreadableImage, match="vanished"):
        pictures.get(file, MANIFEST)
