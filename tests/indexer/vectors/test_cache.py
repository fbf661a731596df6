from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np
import pytest

from indexer.vectors.cache import Owner, VectorCache
from tests.indexer.samples import unit_rows

OWNER = Owner(catalog_uid="u" * 32, weights_hash="w" * 64, dimension=8)
IDS = np.array([2, 3, 5], np.int64)
ROWS = unit_rows(3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    assert VectorCache(folder, OWNER).save(IDS, ROWS, 7)
    return folder


def the_file(folder: Path, pattern: str) -> Path:
    [path] = folder.glob(pattern)
    return path


def test_what_was_saved_is_loaded(folder: Path) -> None:
    cached = VectorCache(folder, OWNER).load()
    assert cached is not None
    assert cached.revision == VectorCache(folder, OWNER).revision() == 7
    assert np.array_equal(cached.ids, IDS)
    assert np.array_equal(cached.vectors, ROWS)
    assert isinstance(cached.vectors, np.memmap)
    assert (cached.ids.dtype, cached.vectors.dtype) == (np.int64, np.float16)


def test_an_empty_collection_has_a_cache_too(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors", OWNER)
    assert cache.save(np.empty(0, np.int64), np.empty((0, 8), np.float16), 1)
    cached = cache.load()
    assert cached is not None
    assert cached.vectors.shape == (0, 8)


def test_no_cache_is_nothing_to_speak_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = VectorCache(tmp_path / "vectors", OWNER)
    assert cache.load() is None
    assert cache.revision() is None
    cache.discard()
    assert not caplog.records
    assert not (tmp_path / "vectors").exists()


def test_the_next_generation_replaces_the_last(folder: Path) -> None:
    before = VectorCache(folder, OWNER).load()
    VectorCache(folder, OWNER).save(IDS[:2], ROWS[:2], 8)
    after = VectorCache(folder, OWNER).load()
    assert before is not None
    assert after is not None
    assert after.revision == 8
    assert np.array_equal(after.ids, IDS[:2])
    assert len(list(folder.glob("*.npy"))) == 2
    assert np.array_equal(before.vectors, ROWS)  # who has the old one open keeps it


def test_a_crash_before_the_header_is_renamed_leaves_the_last_generation(folder: Path) -> None:
    (folder / "ids-8-0badcafe.npy").write_bytes(b"half")
    (folder / "vectors-8-0badcafe.npy").write_bytes(b"half")
    (folder / "cache.json.new").write_text('{"format": 1, "ow')
    cached = VectorCache(folder, OWNER).load()
    assert cached is not None
    assert cached.revision == 7
    VectorCache(folder, OWNER).save(IDS, ROWS, 9)
    assert sorted(path.name.split("-")[0] for path in folder.glob("*.npy")) == ["ids", "vectors"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 0x10
    path.write_bytes(data)


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("pattern", ["ids-*.npy", "vectors-*.npy"])
@pytest.mark.parametrize("harm", [cut, empty, flip, Path.unlink, as_folder])
def test_a_damaged_array_is_not_used(
    folder: Path, pattern: str, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(the_file(folder, pattern))
    assert VectorCache(folder, OWNER).load() is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "\n" not in caplog.text.strip()
    assert VectorCache(folder, OWNER).save(IDS, ROWS, 8)
    assert VectorCache(folder, OWNER).load() is not None


@pytest.mark.parametrize("harm", [cut, empty, binary, as_folder])
def test_a_damaged_header_is_not_used(
    folder: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(folder / "cache.json")
    assert VectorCache(folder, OWNER).load() is None
    assert VectorCache(folder, OWNER).revision() is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"count": 4},
        {"owner": None},
        {"surprise": 1},
        {"ids": {"name": "../catalog.db", "sha256": ""}},
        {"ids": {"name": 5, "sha256": ""}},
    ],
)
def test_a_header_that_says_something_else_is_not_used(folder: Path, change: dict[str, object]) -> None:
    header = json.loads((folder / "cache.json").read_text())
    (folder / "cache.json").write_text(json.dumps({**header, **change}))
    assert VectorCache(folder, OWNER).load() is None


@pytest.mark.parametrize("header", ["[]", "null", "7", '"text"'])
def test_a_header_that_is_no_object_is_not_used(folder: Path, header: str) -> None:
    (folder / "cache.json").write_text(header)
    assert VectorCache(folder, OWNER).load() is None


@pytest.mark.parametrize("other", [{"catalog_uid": "v" * 32}, {"weights_hash": "x" * 64}, {"dimension": 4}])
def test_a_cache_of_another_catalog_or_model_is_not_used(folder: Path, other: dict[str, object]) -> None:
    assert VectorCache(folder, replace(OWNER, **other)).load() is None


def test_pickles_are_never_loaded_whatever_the_hash_says(folder: Path) -> None:
    path = the_file(folder, "ids-*.npy")
    np.save(path, np.array([1, "two", None], object), allow_pickle=True)
    header = json.loads((folder / "cache.json").read_text())
    header["ids"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "cache.json").write_text(json.dumps(header))
    assert VectorCache(folder, OWNER).load() is None


def test_a_discarded_cache_is_gone(folder: Path) -> None:
    VectorCache(folder, OWNER).discard()
    assert VectorCache(folder, OWNER).load() is None


def test_of_two_savers_at_once_one_lets_the_other_be(folder: Path) -> None:
    with filelock.FileLock(folder / "write.lock"):
        assert not VectorCache(folder, OWNER).save(IDS[:1], ROWS[:1], 8)
    assert VectorCache(folder, OWNER).revision() == 7


def test_a_place_that_cannot_be_written_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "vectors").write_text("a file where the folder should be")
    assert not VectorCache(tmp_path / "vectors", OWNER).save(IDS, ROWS, 1)
    assert "cannot be saved" in caplog.text
