"""A picture that is searched with goes the way the collection's own pictures went."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.images import CAREFUL, FAST, DecodePolicy
from indexer.pipeline import sync
from indexer.sources import FolderSource
from search.engine import SearchEngine
from search.query import Query
from tests.palette import PaletteEncoder
from tests.pictures import photo, write


class Recording(PaletteEncoder):
    """Keeps the pictures it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray[Any, Any]] = []

    def encode_images(self, pixels: Any) -> Any:
        self.seen += list(pixels.copy())
        return super().encode_images(pixels)


@pytest.mark.parametrize("policy", [CAREFUL, FAST], ids=lambda policy: policy.name)
def test_index_and_query_decode_alike(policy: DecodePolicy, tmp_path: Path) -> None:
    encoder = Recording()
    path = write(tmp_path / "photos/a.jpg", photo(200, 150))
    manifest = replace(encoder.manifest, decode_policy=policy.name)
    with Collection.open_or_create(tmp_path / "library", manifest) as collection:
        sync(collection, encoder, FolderSource(tmp_path / "photos"), threads=1)
        SearchEngine(collection, encoder).search(Query.of(image=Path(path).read_bytes()))
    indexed, queried = encoder.seen
    assert np.array_equal(indexed, queried)
    assert np.array_equal(indexed, manifest.decode(Path(path).read_bytes()).pixels)
