"""What could not be indexed stays known until it succeeds or is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.failures import kind_of
from indexer.pipeline import sync
from indexer.scope import Scope
from indexer.sources import FolderSource
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

ENCODER = PaletteEncoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture with a side-car that is none, and two files that are no pictures."""
    folder = tmp_path / "photos"
    write(folder / "good.jpg", photo(64, 48, seed=1))
    write(folder / "good.xmp", b"<no xmp")
    write(folder / "sub" / "bad.jpg", b"no picture")
    write(folder / "empty.png", b"")
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open_or_create(tmp_path / "library", ENCODER.manifest) as collection:
        yield collection


def names(collection: Collection) -> set[str]:
    return {Path(one.path).name for one in collection.catalog.failures.some()}


def test_failures_are_kept_until_they_succeed_or_are_gone(folder: Path, collection: Collection) -> None:
    failures = collection.catalog.failures
    sync(collection, ENCODER, FolderSource(folder))
    assert names(collection) == {"good.xmp", "bad.jpg", "empty.png"}
    assert failures.roots() == [(str(folder), "folder", 3)]
    first = {one.path: (one.id, one.since) for one in failures.some()}
    [(kind, number), *_] = failures.kinds()
    assert [one.kind for one in failures.some(kind)] == [kind] * number

    sync(collection, ENCODER, FolderSource(folder))  # the picture beside the side-car is not read again
    assert {one.path: (one.id, one.since) for one in failures.some()} == first
    write(folder / "sub" / "bad.jpg", photo(64, 48, seed=2))
    (folder / "good.xmp").unlink()
    sync(collection, ENCODER, FolderSource(folder))
    assert names(collection) == {"empty.png"}
    failures.forget(str(folder), "folder")
    assert failures.kinds() == []


def test_of_a_part_only_its_own_are_looked_at(folder: Path, collection: Collection) -> None:
    source = FolderSource(folder)
    sync(collection, ENCODER, source)
    (folder / "sub" / "bad.jpg").unlink()
    (folder / "empty.png").unlink()
    sync(collection, ENCODER, source, scope=Scope(parts=source.parts([str(folder / "sub")])))
    assert names(collection) == {"good.xmp", "empty.png"}


def test_a_source_that_is_away_forgets_nothing(folder: Path, collection: Collection, tmp_path: Path) -> None:
    sync(collection, ENCODER, FolderSource(folder))
    folder.rename(tmp_path / "away")
    folder.mkdir()
    assert sync(collection, ENCODER, FolderSource(folder)).offline
    assert len(names(collection)) == 3


def test_pages_join(collection: Collection, folder: Path) -> None:
    sync(collection, ENCODER, FolderSource(folder))
    failures = collection.catalog.failures
    [first, second, third] = failures.some()
    assert failures.some(limit=2) == [first, second]
    assert failures.some(after=second.id) == [third]


def test_numbers_make_no_other_kind() -> None:
    one, other = (f"{number} bytes is over the limit of 10,000,000" for number in ("12,345,678", "99,000,000"))
    assert kind_of(one) == kind_of(other) == "… bytes is over the limit of …"
    assert len(kind_of("long " * 100)) == 200
