from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np
import pytest
from blake3 import blake3
from numpy.typing import NDArray

from indexer.vectors.cache import CacheBusy, CachedBase, Owner, VectorCache
from indexer.vectors.planning import IndexPlan
from tests.indexer.samples import unit_rows

OWNER = Owner(catalog_uid="u" * 32, weights_hash="w" * 64, dimension=8)
IDS = np.array([2, 3, 5], np.int64)
ROWS = unit_rows(3)
STRUCTURE = np.frombuffer(b"what a kind needs", np.uint8)
PLAN = IndexPlan("rabitq", 0.95)
ALL_FILES = ["cache.json", "ids-*.int64", "vectors-*.float16", "structure-*.faiss"]


def save(
    cache: VectorCache, ids: NDArray[np.int64], rows: NDArray[np.float16], revision: int, *, structure: bool = True
) -> None:
    with cache.draft() as draft:
        draft.write([(ids[:2], rows[:2]), (ids[2:], rows[2:])])
        draft.publish(revision, "rabitq", PLAN, STRUCTURE if structure else None, {"chosen": 7} if structure else None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    save(VectorCache(folder, OWNER), IDS, ROWS, 7)
    return folder


def the_file(folder: Path, pattern: str) -> Path:
    [path] = folder.glob(pattern)
    return path


def loaded(folder: Path) -> CachedBase:
    cached = VectorCache(folder, OWNER).load()
    assert cached is not None
    return cached


def test_what_was_published_is_loaded(folder: Path) -> None:
    cached = loaded(folder)
    assert (cached.revision, cached.kind, cached.plan, cached.calibration) == (7, "rabitq", PLAN, {"chosen": 7})
    assert np.array_equal(cached.ids, IDS)
    assert np.array_equal(cached.vectors, ROWS)
    assert np.array_equal(cached.structure, STRUCTURE)  # type: ignore[arg-type]
    assert isinstance(cached.vectors, np.memmap)
    assert (cached.ids.dtype, cached.vectors.dtype) == (np.int64, np.float16)
    assert sorted(path.name.split("-")[0] for path in folder.iterdir()) == [
        "cache.json", "ids", "structure", "vectors", "write.lock",
    ]  # fmt: skip


def test_the_summary_says_it_without_the_arrays(folder: Path) -> None:
    for pattern in ALL_FILES[1:]:
        the_file(folder, pattern).unlink()
    summary = VectorCache(folder, OWNER).summary()
    assert summary is not None
    assert (summary.revision, summary.kind, summary.plan, summary.count) == (7, "rabitq", PLAN, 3)
    assert (summary.structure_bytes, summary.calibration) == (len(STRUCTURE), {"chosen": 7})


def test_a_draft_gives_back_what_it_wrote_memory_mapped(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "vectors", OWNER).draft() as draft:
        ids, rows = draft.write([(IDS, ROWS)])
    assert isinstance(rows, np.memmap)
    assert np.array_equal(ids, IDS)
    assert np.array_equal(rows, ROWS)


def test_an_empty_collection_has_a_cache_too(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors", OWNER)
    with cache.draft() as draft:
        draft.write([])
        draft.publish(1, "exact", IndexPlan(), None, None)
    cached = loaded(tmp_path / "vectors")
    assert cached.vectors.shape == (0, 8)
    assert cached.structure is None


def test_no_cache_is_nothing_to_speak_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = VectorCache(tmp_path / "vectors", OWNER)
    assert cache.load() is cache.summary() is cache.plan() is None
    assert not caplog.records
    assert not (tmp_path / "vectors").exists()


def test_the_next_generation_replaces_the_last(folder: Path) -> None:
    before = loaded(folder)
    save(VectorCache(folder, OWNER), IDS[:2], ROWS[:2], 8, structure=False)
    after = loaded(folder)
    assert after.revision == 8
    assert np.array_equal(after.ids, IDS[:2])
    assert not list(folder.glob("structure-*"))
    assert len(list(folder.glob("*-*"))) == 2
    assert np.array_equal(before.vectors, ROWS)  # who has the old one open keeps it


def test_a_draft_that_is_not_published_changes_nothing(folder: Path) -> None:
    cache = VectorCache(folder, OWNER)
    before = sorted(path.name for path in folder.iterdir())
    with cache.draft() as draft:
        draft.write([(IDS[:1], ROWS[:1])])
        assert loaded(folder).revision == 7
    with pytest.raises(ZeroDivisionError), cache.draft() as draft:
        draft.write((IDS[:1], ROWS[:1]) for _ in range(1 // 0))
    assert sorted(path.name for path in folder.iterdir()) == before
    assert loaded(folder).revision == 7


def test_what_a_crash_left_is_swept_by_the_next_draft(folder: Path) -> None:
    for name in ("ids-0badcafe.int64", "vectors-0badcafe.float16", "structure-0badcafe.faiss", "ids-3-old.npy"):
        (folder / name).write_bytes(b"half")
    (folder / "cache.json.new").write_text('{"format": 1, "ow')
    assert loaded(folder).revision == 7
    save(VectorCache(folder, OWNER), IDS, ROWS, 9)
    assert len(list(folder.glob("*-*"))) == 3
    assert loaded(folder).revision == 9


@pytest.mark.parametrize("step", range(5))
def test_a_write_that_fails_at_any_step_leaves_the_last_generation(
    folder: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps: vectors, ids, structure and header to the disk, and the header's new name."""
    before = sorted(path.name for path in folder.iterdir())
    real, calls = os.fsync, []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == step + 1:
            raise OSError("the disk is full")
        real(descriptor)

    def rename(path: Path, target: Path) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        if step == 4:
            patch.setattr(Path, "replace", rename)
        with pytest.raises(OSError, match="full"):
            save(VectorCache(folder, OWNER), IDS[:2], ROWS[:2], 8)
    assert loaded(folder).revision == 7
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".new") == before
    save(VectorCache(folder, OWNER), IDS, ROWS, 9)
    assert loaded(folder).revision == 9


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


@pytest.mark.parametrize("pattern", ALL_FILES[1:])
@pytest.mark.parametrize("harm", [cut, empty, flip, Path.unlink, as_folder])
def test_a_damaged_file_is_not_used(
    folder: Path, pattern: str, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(the_file(folder, pattern))
    assert VectorCache(folder, OWNER).load() is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "rebuilt from the catalog" in caplog.text
    assert "\n" not in caplog.text.strip()
    save(VectorCache(folder, OWNER), IDS, ROWS, 8)
    assert loaded(folder).revision == 8


@pytest.mark.parametrize("harm", [cut, empty, binary, as_folder])
def test_a_damaged_header_is_not_used(
    folder: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    harm(folder / "cache.json")
    assert VectorCache(folder, OWNER).load() is None
    assert VectorCache(folder, OWNER).summary() is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"count": 4},
        {"count": "3"},
        {"revision": None},
        {"owner": None},
        {"plan": {"kind": "magic", "recall": 0.9}},
        {"plan": {"kind": "exact", "recall": "high"}},
        {"surprise": 1},
        {"ids": None},
        {"ids": {"name": "../catalog.db", "size": 24, "blake3": ""}},
        {"ids": {"name": 5, "size": 24, "blake3": ""}},
    ],
    ids=str,
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


def test_arrays_of_another_size_are_not_used_whatever_the_hash_says(folder: Path) -> None:
    path = the_file(folder, "vectors-*.float16")
    path.write_bytes(path.read_bytes() + b"\0\0")
    header = json.loads((folder / "cache.json").read_text())
    header["vectors"] |= {"size": path.stat().st_size, "blake3": blake3(path.read_bytes()).hexdigest()}
    (folder / "cache.json").write_text(json.dumps(header))
    assert VectorCache(folder, OWNER).load() is None


def test_of_two_writers_at_once_one_lets_the_other_be(folder: Path) -> None:
    cache = VectorCache(folder, OWNER)
    with filelock.FileLock(folder / "write.lock"), pytest.raises(CacheBusy, match="being written"), cache.draft():
        pass
    assert loaded(folder).revision == 7


def test_a_place_that_cannot_be_written_is_an_error_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="exists"), VectorCache(tmp_path / "vectors", OWNER).draft():
        pass


def test_a_choice_outlives_every_generation(folder: Path) -> None:
    cache = VectorCache(folder, OWNER)
    assert cache.plan() is None
    cache.choose(IndexPlan("ivf", 0.9))
    save(cache, IDS, ROWS, 8)
    cache.reject("of a test")
    assert VectorCache(folder, OWNER).plan() == IndexPlan("ivf", 0.9)


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "ivf"}', '{"kind": "magic", "recall": 0.9}', '{"kind": 1}'])
def test_a_damaged_choice_is_the_default(folder: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "plan.json").write_text(content)
    assert VectorCache(folder, OWNER).plan() is None
    assert "the default is taken" in caplog.text


def test_an_examination_says_what_is_wrong_and_leaves_it(folder: Path) -> None:
    cache = VectorCache(folder, OWNER)
    assert cache.damage() is None
    flip(the_file(folder, "vectors-*.float16"))
    assert "is damaged" in str(cache.damage())
    assert (folder / "cache.json").exists()
    assert VectorCache(folder / "nothing", OWNER).damage() is None


def test_leftovers_are_what_nobody_names_while_nobody_writes(folder: Path) -> None:
    cache = VectorCache(folder, OWNER)
    assert cache.leftovers() == VectorCache(folder / "nothing", OWNER).leftovers() == []
    (folder / "ids-left.int64").write_bytes(b"")
    (folder / "plan.json.new").write_bytes(b"")
    assert [path.name for path in cache.leftovers()] == ["ids-left.int64", "plan.json.new"]
    with cache.draft() as draft:
        draft.write([(IDS, ROWS)])
        assert cache.leftovers() == []
