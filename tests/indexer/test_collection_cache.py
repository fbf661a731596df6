"""The vectors beside the catalog: used when right, rebuilt when not."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer import collection as collection_module
from indexer.collection import Collection
from indexer.vectors import segmented
from tests.indexer.samples import MANIFEST, expected, found, put, unit_rows


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def vectors_in_catalog_become(library: Path, rows: NDArray[np.float16]) -> None:
    """Behind the catalog's back, so that what comes from the cache can be told from what comes from the catalog."""
    connection = sqlite3.connect(library / "catalog.db")
    with connection:
        connection.executemany(
            "UPDATE embedding_1 SET vector = ? WHERE image_id = ?",
            [(row.tobytes(), i) for i, row in enumerate(rows, 1)],
        )
    connection.close()


def test_a_saved_cache_is_what_the_next_open_uses(library: Path) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, "/a", "/b", "/c")
        first.fold(always=True)
        before = found(first)
    vectors_in_catalog_become(library, unit_rows(3, seed=8))
    with Collection.open(library) as cached:
        assert found(cached) == before
    shutil.rmtree(library / "vectors")
    with Collection.open(library) as rebuilt:
        assert found(rebuilt) == expected(rebuilt) != before


def test_a_cache_that_is_behind_is_caught_up(library: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, "/a", "/b", "/c")
        first.fold(always=True)
        put(first, "/b", "/d", seed=4)
        first.catalog.remove([1])
    with Collection.open(library) as second:
        assert found(second) == expected(second)
        assert second.stats().index.tail == 2  # and not everything
    assert warnings_in(caplog) == []


def files_of(library: Path) -> list[tuple[str, int]]:
    return sorted((path.name, path.stat().st_mtime_ns) for path in (library / "vectors").glob("*-*"))


def test_a_base_that_may_stay_is_not_written_again(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        assert not first.fold()  # there is nothing yet
        put(first, "/a", "/b")
        assert first.fold()
        before = files_of(library)
        assert not first.fold()
        put(first, "/c")
        assert not first.fold()
    assert files_of(library) == before != []
    with Collection.open(library) as second:
        assert not second.fold()
        assert found(second) == expected(second)
        monkeypatch.setattr(segmented, "TAIL_LIMIT", 0)
        assert second.fold()
        assert found(second) == expected(second)
    assert files_of(library) != before


@pytest.mark.parametrize("many", [2, 3])
def test_opening_makes_a_cache_only_if_there_is_much_to_read(
    library: Path, many: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(collection_module, "_MANY", many)
    with Collection.open_or_create(library, MANIFEST) as collection:
        put(collection, "/a", "/b")
    with Collection.open(library) as collection:
        assert found(collection) == expected(collection)
    assert (library / "vectors" / "cache.json").exists() == (many == 2)
    assert ("made anew from 2 images" in caplog.text) == (many == 2)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) - 4] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
@pytest.mark.parametrize("pattern", ["cache.json", "ids-*", "vectors-*"])
def test_a_damaged_cache_is_rebuilt_and_said_so(
    library: Path, pattern: str, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, *(f"/{number}" for number in range(20)))
        first.fold(always=True)
    [path] = (library / "vectors").glob(pattern)
    harm(path)
    with Collection.open(library) as second:
        assert found(second) == expected(second)
        second.fold(always=True)
    silent = pattern == "cache.json" and harm is Path.unlink  # no cache at all is nothing to warn of
    assert len(warnings_in(caplog)) == (0 if silent else 1)
    caplog.clear()
    with Collection.open(library) as third:
        assert found(third) == expected(third)
    assert warnings_in(caplog) == []


def test_a_catalog_from_a_backup_is_not_mixed_with_a_newer_cache(
    library: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, "/a", "/b")
    shutil.copy(library / "catalog.db", tmp_path / "backup.db")
    with Collection.open(library) as second:
        put(second, "/a", "/c", seed=2)
        second.catalog.remove([2])
        second.fold(always=True)
    shutil.copy(tmp_path / "backup.db", library / "catalog.db")
    with Collection.open(library) as restored:
        for number in range(2):  # to the revision of the cache, by another history
            put(restored, f"/other/{number}", seed=number + 20)
        assert found(restored) == expected(restored)
    assert len(warnings_in(caplog)) == 1


def test_a_new_catalog_beside_an_old_cache_does_not_use_it(library: Path) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, "/a", "/b")
        first.fold(always=True)
    (library / "catalog.db").unlink()
    with Collection.open_or_create(library, MANIFEST) as second:
        put(second, "/c", "/d", seed=3)
        assert found(second) == expected(second)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(0, 50)),
        st.tuples(st.just("remove"), st.lists(st.integers(1, 30), max_size=5)),
        st.tuples(st.just("fold"), st.booleans()),
        st.tuples(st.just("reopen")),
        st.tuples(st.just("delete cache")),
        st.tuples(st.just("damage cache"), st.integers(0, 2), st.sampled_from([cut, flip, Path.unlink])),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(steps=STEPS, limit=st.integers(0, 10))
def test_any_history_is_searched_as_the_catalog_has_it(
    steps: list[tuple[object, ...]], limit: int, new_library: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmented, "TAIL_LIMIT", limit)
        patch.setattr(collection_module, "_MANY", 5)
        collection = Collection.open(shutil.copytree(new_library, Path(folder) / "library"))
        try:
            for step in steps:
                collection = take(step, collection)
                assert found(collection) == expected(collection)
        finally:
            collection.close()


@pytest.fixture(scope="module")
def new_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("new") / "library"
    Collection.open_or_create(library, MANIFEST).close()
    return library


def take(step: tuple[object, ...], collection: Collection) -> Collection:
    files = [path for path in sorted((collection.library / "vectors").glob("*")) if path.name != "write.lock"]
    match step:
        case ("put", list(names), int(seed)):
            put(collection, *(f"/{name}" for name in names), seed=seed)
        case ("remove", list(ids)):
            collection.catalog.remove(ids)
        case ("fold", bool(always)):
            collection.fold(always=always)
        case ("delete cache",):
            shutil.rmtree(collection.library / "vectors", ignore_errors=True)
        case ("damage cache", int(place), harm) if files:
            harm(files[place % len(files)])  # type: ignore[operator]
        case ("reopen",):
            collection.close()
            return Collection.open(collection.library)
    return collection
