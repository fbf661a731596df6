from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

PICTURES = 10


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """One of them with a name that is not UTF-8."""
    for number in range(PICTURES - 1):
        write(tmp_path / "photos" / f"{number % 2}" / f"{number:02}.jpg", photo(64, 48, seed=number))
    write(os.path.join(os.fsencode(tmp_path), b"photos", b"caf\xe9.jpg"), photo(64, 48, seed=99))
    return tmp_path / "photos"


@pytest.fixture
def indexed(tmp_path: Path, photos: Path) -> Iterator[Collection]:
    encoder = PaletteEncoder()
    with Collection.open_or_create(tmp_path / "indexed", encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(photos), threads=1)
        yield collection
