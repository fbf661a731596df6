"""Decoders, encoder and writer work at once: who is waited for, whose errors surface, what is kept."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.errors import CollectionUnavailable
from indexer.pipeline import SyncReport, sync
from indexer.sources import FolderSource
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

STATIONS = ("decode", "encode", "write")
WAIT = 0.02


class SlowEncoder(PaletteEncoder):
    def encode_images(self, pixels: Any) -> Any:
        time.sleep(WAIT)
        return super().encode_images(pixels)


class SlowSource(FolderSource):
    def read(self, path: str) -> bytes:
        time.sleep(WAIT)
        return super().read(path)


@pytest.fixture
def encoder() -> PaletteEncoder:
    return PaletteEncoder()


@pytest.fixture
def collection(tmp_path: Path, encoder: PaletteEncoder) -> Iterator[Collection]:
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(24):
        write(tmp_path / f"pictures/{number:02}.jpg", photo(32, 24, seed=number))
    return tmp_path / "pictures"


def stations() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(STATIONS)]


def slowed(write: Callable[..., Any]) -> Callable[..., Any]:
    def late(*arguments: Any) -> Any:
        time.sleep(5 * WAIT)
        return write(*arguments)

    return late


def test_the_encoder_is_the_limit(collection: Collection, root: Path) -> None:
    report = sync(collection, SlowEncoder(), FolderSource(root), batch_size=2, threads=2)
    assert report.pace is not None
    assert report.pace.limit == "encoding"
    assert report.pace.decoders_waited > 6 * WAIT  # of twelve batches
    assert report.pace.images_per_second == pytest.approx(24 / report.seconds)


def test_decoding_is_the_limit(collection: Collection, encoder: PaletteEncoder, root: Path) -> None:
    pace = sync(collection, encoder, SlowSource(root), batch_size=2, threads=1).pace
    assert pace is not None
    assert pace.limit == "decoding"
    assert pace.encoder_waited > 12 * WAIT


def test_the_catalog_is_the_limit(
    collection: Collection, encoder: PaletteEncoder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection.catalog, "put", slowed(collection.catalog.put))
    pace = sync(collection, encoder, FolderSource(root), batch_size=2, threads=2).pace
    assert pace is not None
    assert pace.limit == "catalog"
    assert pace.encoder_waited_for_catalog > 20 * WAIT


def test_a_long_walk_over_what_is_known_is_not_the_decoders_doing(
    collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    class SlowWalk(FolderSource):
        def walk(self) -> Iterator[Any]:
            for found in super().walk():
                time.sleep(WAIT)
                yield found

    assert sync(collection, encoder, FolderSource(root)).pace is not None
    write(root / "99.jpg", photo(32, 24, seed=99))
    pace = sync(collection, encoder, SlowWalk(root)).pace
    assert pace is not None
    assert pace.encoder_waited < 12 * WAIT < 24 * WAIT
    assert sync(collection, encoder, FolderSource(root)).pace is None  # nothing was encoded


def test_an_error_of_the_writer_surfaces_and_nothing_later_is_written(
    collection: Collection, encoder: PaletteEncoder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, calls = collection.catalog.put, []

    def second_fails(images: Any, vectors: Any, said: Any) -> Any:
        calls.append(len(images))
        if len(calls) == 2:
            raise CollectionUnavailable("library", "database or disk is full")
        return put(images, vectors, said)

    with monkeypatch.context() as patch:
        patch.setattr(collection.catalog, "put", second_fails)
        with pytest.raises(CollectionUnavailable, match="disk is full"):
            sync(collection, encoder, FolderSource(root), batch_size=4, threads=2)
    assert calls == [4, 4]
    assert collection.catalog.count() == 4
    assert stations() == []
    report = sync(collection, encoder, FolderSource(root), threads=2)
    assert (report.added, report.unchanged) == (20, 4)


def test_interrupted_what_is_encoded_is_still_written(
    collection: Collection, encoder: PaletteEncoder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C comes in the main thread, while the other stations are busy."""

    def interrupt(progress: Any) -> None:
        if len(encoder.image_batches) >= 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("indexer.reports._REPORT_SECONDS", 0)
    monkeypatch.setattr(collection.catalog, "put", slowed(collection.catalog.put))
    with pytest.raises(KeyboardInterrupt):
        sync(collection, encoder, FolderSource(root), batch_size=4, threads=2, progress=interrupt)
    assert collection.catalog.count() == sum(encoder.image_batches) >= 8
    assert stations() == []


def test_a_move_waits_for_what_is_on_its_way_to_the_catalog(
    collection: Collection, encoder: PaletteEncoder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`00` gets other content and is then removed; `01` has what `00` had. By then `00` is neither moved nor lost.

    Were `01` settled by a catalog that has not heard of the new content, it would get the id that this goes to.
    """

    class Racing(FolderSource):
        def read(self, path: str) -> bytes:
            data = super().read(path)
            if path.endswith("00.jpg"):
                os.unlink(path)
            return data

    for path in sorted(root.iterdir())[1:]:
        path.unlink()
    sync(collection, encoder, FolderSource(root))
    before = (root / "00.jpg").read_bytes()
    new = write(root / "00.jpg", photo(32, 24, seed=77), mtime_ns=1)
    content = Path(new).read_bytes()
    write(root / "01.jpg", before, mtime_ns=1)
    monkeypatch.setattr(collection.catalog, "put", slowed(collection.catalog.put))
    sync(collection, encoder, Racing(root), batch_size=1, threads=1)
    for state in collection.catalog.files_under(str(root)):
        data = content if state.path.endswith("00.jpg") else before
        want = encoder.encode_images(collection.manifest.decode(data).pixels[None])[0]
        assert float(collection.vector(state.id) @ want) > 0.999, state.path


def test_batches_of_one_and_larger_than_all(collection: Collection, encoder: PaletteEncoder, root: Path) -> None:
    reports: list[SyncReport] = []
    for size in (1, 1000):
        reports.append(sync(collection, encoder, FolderSource(root), batch_size=size, threads=3))
        collection.catalog.remove([state.id for state in collection.catalog.files_under(str(root))])
    assert [report.added for report in reports] == [24, 24]
    assert encoder.image_batches == [1] * 24 + [24]
    assert np.all(np.diff(encoder.image_batches[:24]) == 0)
