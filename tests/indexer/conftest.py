from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.collection import Collection
from tests.indexer.samples import MANIFEST


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def collection(library: Path) -> Iterator[Collection]:
    with Collection.open_or_create(library, MANIFEST) as made:
        yield made


@pytest.fixture
def catalog(library: Path) -> Iterator[Catalog]:
    with Catalog.create(library, MANIFEST) as made:
        yield made
