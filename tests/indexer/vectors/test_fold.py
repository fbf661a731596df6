"""A new base is built while searches go on, and whatever happens meanwhile the collection stays whole."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer import collection as collection_module
from indexer.collection import Collection
from indexer.vectors import calibration, fold
from indexer.vectors.planning import IndexPlan
from indexer.vectors.segmented import SegmentedIndex
from tests.indexer.samples import MANIFEST, an_image, expected, forbidden, found, public_folder, put
from tests.palette import PaletteEncoder


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any change outgrows the base, and calibration is short."""
    monkeypatch.setattr(calibration, "QUERIES", 5)
    monkeypatch.setattr(calibration, "_TIMED", 1)
    monkeypatch.setattr(SegmentedIndex, "outgrown", lambda index: index.tail_size + index.dead_count > 0)


class Gate:
    """Holds a build up, so that a test can see what happens meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.builds = 0
        self.reached, self.opened = threading.Event(), threading.Event()
        real = fold.build_base

        def build_base(*arguments: Any, **options: Any) -> Any:
            self.builds += 1
            self.reached.set()
            assert self.opened.wait(20)
            return real(*arguments, **options)

        monkeypatch.setattr(fold, "build_base", build_base)

    def let_through(self, action: Callable[[], object]) -> None:
        self.opened.set()
        action()
        self.opened.clear()
        self.reached.clear()
        self.builds = 0


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.005)


# In the background


def test_searches_go_on_and_see_every_change_while_a_base_is_built(collection: Collection, gate: Gate) -> None:
    put(collection, *(f"/{number}" for number in range(30)))
    gate.let_through(collection.fold)
    before = collection.snapshot()
    collection.fold_in_background()
    put(collection, "/3", "/new", seed=1)
    assert found(collection) == expected(collection)
    assert gate.reached.wait(20)
    assert collection.stats().index.folding
    put(collection, "/newer", "/4", seed=2)
    collection.catalog.remove([1, 31])
    assert found(collection) == expected(collection)
    assert collection.snapshot().base is before.base
    gate.opened.set()
    until(lambda: collection.snapshot().base is not before.base)
    assert found(collection) == expected(collection)
    until(lambda: not collection.stats().index.folding)
    assert found(collection) == expected(collection)
    with Collection.open(collection.library) as reader:
        assert found(reader) == expected(reader)


def test_one_base_is_built_at_a_time(collection: Collection, gate: Gate) -> None:
    put(collection, *(f"/{number}" for number in range(30)))
    gate.let_through(collection.fold)
    put(collection, "/one-more")
    collection.fold_in_background()
    assert gate.reached.wait(20)
    for number in range(5):
        put(collection, f"/more/{number}")
        found(collection)
    assert gate.builds == 1
    gate.opened.set()
    until(lambda: not collection.stats().index.folding)


def test_a_build_that_fails_is_logged_and_searches_go_on(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[int] = []

    def build_base(*_: Any, **__: Any) -> Any:
        attempts.append(1)
        raise MemoryError("no room")

    put(collection, "/a", "/b")
    found(collection)
    monkeypatch.setattr(fold, "build_base", build_base)
    collection.fold_in_background()
    for name in "cde":  # it is not tried again at once, whatever comes
        put(collection, f"/{name}")
        assert found(collection) == expected(collection)
        until(lambda: not collection.stats().index.folding)
    assert attempts == [1]
    assert "searches go on with the one there is" in caplog.text
    assert not list(collection.library.glob("vectors/*-*"))


def test_closing_gives_up_a_build_that_takes_too_long(
    library: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(collection_module, "_CLOSE_SECONDS", 0.01)
    with Collection.open_or_create(library, MANIFEST) as collection:
        put(collection, "/a", "/b")
        gate.let_through(collection.snapshot)
        put(collection, "/c")
        collection.fold_in_background()
        assert gate.reached.wait(20)
        background = collection._background
    assert "it is given up" in caplog.text
    gate.opened.set()
    assert background is not None
    assert background.finish(20)
    assert not list(library.glob("vectors/*-*"))
    assert not list(library.glob("catalog.db-*"))
    with Collection.open(library) as again:
        assert found(again) == expected(again)


def test_closing_waits_for_a_build_that_is_quick(library: Path) -> None:
    for _ in range(5):
        with Collection.open_or_create(library, MANIFEST) as collection:
            put(collection, "/a", "/b")
            found(collection)
            collection.fold_in_background()
        assert collection._background is not None
        assert not collection._background.running
    assert not list(library.glob("catalog.db-*"))


def test_what_another_process_built_is_taken_over(library: Path, gate: Gate) -> None:
    gate.opened.set()
    with Collection.open_or_create(library, MANIFEST) as indexer, Collection.open(library) as server:
        put(indexer, *(f"/{number}" for number in range(20)))
        assert indexer.fold()
        assert not server.fold()
        assert gate.builds == 1
        assert server.stats().index.base == 20
        put(indexer, "/more")
        assert found(server) == expected(server)
        assert indexer.fold()
        assert not server.fold()
        assert gate.builds == 2
        assert server.stats().index.base == 21
        assert found(server) == expected(server)


def test_while_another_process_builds_there_is_nothing_to_do(
    library: Path, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Collection.open_or_create(library, MANIFEST) as indexer, Collection.open(library) as server:
        put(indexer, "/a", "/b")
        gate.let_through(lambda: (indexer.snapshot(), server.snapshot()))
        put(indexer, "/c")
        indexer.fold_in_background()
        assert gate.reached.wait(20)
        assert not server.fold()
        assert "is being written" in caplog.text
        server.fold_in_background()
        until(lambda: not server.stats().index.folding)
        assert found(server) == expected(server)
        assert gate.builds == 1
        gate.opened.set()


def test_where_nothing_can_be_written_the_new_base_stays_in_memory() -> None:
    with public_folder() as library:
        with Collection.open_or_create(library, MANIFEST) as first:
            put(first, "/a", "/b")
            first.fold()
            put(first, "/c", "/d")
        with forbidden(library, 0o555), Collection.open(library) as reader:
            assert reader.fold() is False
            reader.fold_in_background()
            until(lambda: len(reader.snapshot().base.ids) == 4)
            assert found(reader) == expected(reader)


# The plan


def test_a_choice_stays_with_the_collection_and_makes_a_new_base(library: Path) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, *(f"/{number}" for number in range(300)))
        assert first.plan == IndexPlan()
        assert first.fold()
        first.choose(IndexPlan("hnsw", 0.9))
        assert first.fold()
        assert not first.fold()
        first.choose(IndexPlan("hnsw", 0.95))
        assert first.fold()
        assert first.stats().index.kind == "hnsw"
    with Collection.open(library) as second:
        assert second.plan == IndexPlan("hnsw", 0.95)
        assert not second.fold()
        put(second, "/a")
        assert second.fold()
        assert second.snapshot().kind == "hnsw"
        second.choose(IndexPlan())
        assert second.fold()
        assert second.snapshot().kind == "exact"


def test_another_recall_is_nothing_to_an_exact_base(collection: Collection) -> None:
    put(collection, "/a")
    assert collection.fold()
    collection.choose(IndexPlan("auto", 0.9))
    assert not collection.fold()


def test_a_limit_that_is_passed_changes_the_kind_only_with_the_next_base(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = SegmentedIndex.outgrown
    monkeypatch.setattr(SegmentedIndex, "outgrown", lambda index: False)
    monkeypatch.setattr("indexer.vectors.planning.EXACT_UP_TO", 300)
    put(collection, *(f"/{number}" for number in range(300)))
    assert collection.fold()
    put(collection, "/one-too-many")
    assert not collection.fold()
    monkeypatch.setattr(SegmentedIndex, "outgrown", grown)
    assert collection.fold()
    assert collection.snapshot().kind not in ("exact", "torch")
    monkeypatch.setattr(SegmentedIndex, "outgrown", lambda index: False)
    collection.choose(IndexPlan("exact"))
    assert collection.fold()
    assert collection.snapshot().kind == "exact"


def test_an_approximate_base_is_calibrated_with_texts(library: Path) -> None:
    encoder = PaletteEncoder()
    with Collection.open_or_create(library, encoder.manifest) as collection:
        rows = np.random.default_rng(0).standard_normal((300, 64)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        collection.catalog.put([an_image(f"/{number}") for number in range(300)], rows.astype(np.float16))
        collection.choose(IndexPlan("rabitq"))
        assert collection.fold()
        assert texts_measured(collection) == 0
        assert collection.fold(encoder, always=True)
        assert collection.fold(encoder, always=True)
        assert texts_measured(collection) > 0
        assert encoder.text_batches == [200]  # once


def texts_measured(collection: Collection) -> int:
    measured = collection.stats().index.calibration
    assert measured is not None
    texts: int = measured["queries"]["texts"]
    return texts


# Cut short


STEPS = ["reading", "vectors", "ids", "build", "structure", "header", "rename", "folder", "swap"]


@pytest.mark.parametrize("step", STEPS)
def test_a_failure_at_any_step_leaves_the_collection_whole(
    library: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collection.open_or_create(library, MANIFEST) as collection:
        put(collection, *(f"/{number}" for number in range(300)))
        collection.choose(IndexPlan("hnsw"))
        assert collection.fold()
        put(collection, "/3", "/new", seed=1)
        collection.catalog.remove([7])
        with monkeypatch.context() as patch:
            fail_at(step, patch)
            with pytest.raises(Failure):
                collection._fold(None)
        assert found(collection) == expected(collection)
        with Collection.open(library) as other:
            assert found(other) == expected(other)
        put(collection, "/newer", seed=2)
        assert collection.fold()
        assert found(collection) == expected(collection)
    with Collection.open(library) as other:
        assert found(other) == expected(other)
        assert not other.fold()


class Failure(Exception):
    pass


def fail_at(step: str, patch: pytest.MonkeyPatch) -> None:
    synced = iter(STEPS[i] for i in (1, 2, 4, 5, 7))
    real = os.fsync

    def fail(*_: Any, **__: Any) -> Any:
        raise Failure

    def fsync(descriptor: int) -> None:
        real(descriptor)
        if next(synced) == step:
            raise Failure

    def rows(_: Collection, revision: int) -> Any:
        yield from ()
        raise Failure

    patch.setattr(os, "fsync", fsync)
    match step:
        case "reading":
            patch.setattr("indexer.catalog.Catalog.changes_since", rows)
        case "build":
            patch.setattr(fold, "build_base", fail)
        case "rename":
            patch.setattr(Path, "replace", fail)
        case "swap":
            patch.setattr(Collection, "_swap_in", fail)


BUILDER = """
import sys
from pathlib import Path
from indexer.collection import Collection
from indexer.vectors import calibration
from indexer.vectors.planning import IndexPlan
from indexer.vectors.segmented import SegmentedIndex
from tests.indexer.samples import put
SegmentedIndex.outgrown = lambda index: index.tail_size + index.dead_count > 0
calibration.QUERIES, calibration._TIMED = 5, 1
operations, last = 0, int(sys.argv[2])
def killed(event, arguments):
    global operations
    if event in ("open", "os.rename", "os.remove", "mmap.__new__", "fcntl.flock"):
        operations += 1
        if operations == last:
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
with Collection.open(Path(sys.argv[1])) as collection:
    collection.choose(IndexPlan("hnsw"))
    put(collection, "/warm")
    collection.fold()
    put(collection, "/3", "/new", seed=1)
    print("ready", flush=True)
    if last:
        sys.addaudithook(killed)
        collection.fold()
    else:
        for number in range(1_000_000):
            put(collection, f"/{number % 300}", seed=number)
            collection.fold()
"""


def start_builder(library: Path, last: int) -> subprocess.Popen[str]:
    with Collection.open_or_create(library, MANIFEST) as collection:
        put(collection, *(f"/{number}" for number in range(300)))
    command = [sys.executable, "-c", BUILDER, str(library), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def check_whole(library: Path) -> None:
    with Collection.open(library) as collection:
        assert found(collection) == expected(collection)
        put(collection, "/afterwards", seed=9)
        assert collection.fold()
        assert found(collection) == expected(collection)


@pytest.mark.slow
def test_killed_at_any_file_operation_the_collection_is_whole(tmp_path: Path) -> None:
    for last in range(1, 60):
        library = tmp_path / str(last)
        with start_builder(library, last) as builder:
            assert builder.wait(60) in (0, -signal.SIGKILL)
        check_whole(library)
        if builder.returncode == 0:
            assert last > 5
            return
    raise AssertionError("a build has fewer file operations than that")


@pytest.mark.slow
def test_killed_at_random_moments_the_collection_is_whole(tmp_path: Path) -> None:
    chance = random.Random(5)
    for number in range(12):
        library = tmp_path / str(number)
        with start_builder(library, 0) as builder:
            assert builder.stdout is not None
            assert builder.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.3))
            builder.kill()
        check_whole(library)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_a_build_gives_way_to_searches() -> None:
    built: list[int] = []
    usual = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    background = fold.Background(lambda: built.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    background.start()
    assert background.finish(30)
    assert built == [min(19, usual + 10)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == usual
