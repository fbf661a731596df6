"""A real watch over real folders. Waits are for conditions, and end with the test's failure after a while."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.config import Settings
from indexer.library_folder import locked
from indexer.roots import Root
from indexer.sources.folder_walk import FolderWalk
from indexer.watching.watcher import Pace, Watcher
from tests.indexer.sources.conftest import jpeg, make_tar
from tests.indexer.test_pipeline import fill
from tests.palette import PaletteEncoder
from tests.pictures import photo, plain, write

PATIENCE = 60.0  # seconds; all takes one or two on a machine with nothing else to do


class Watch:
    """A watcher in a thread of its own, what it said, and the collection as another process would see it."""

    def __init__(
        self,
        library: Path,
        *roots: Path | Root,
        adopt: bool = False,
        poll: bool = False,
        poll_seconds: float = 0.1,
        **pace: float,
    ) -> None:
        self.said: list[str] = []
        self.encoder = PaletteEncoder()
        self.library = library
        self._stop = threading.Event()
        self._error: list[BaseException] = []
        settings = Settings(library=library, threads=2)
        watcher = Watcher(
            settings,
            [root if isinstance(root, Root) else Root(str(root)) for root in roots],
            self._opened,
            self.said.append,
            stop=self._stop,
            adopt=adopt,
            poll=poll,
            pace=Pace(**{"retry": 0.2, "after_error": 0.2, "poll": poll_seconds, "quiet": 0.1, **pace}),
        )
        self._thread = threading.Thread(target=self._run, args=(watcher,))

    @contextmanager
    def _opened(self) -> Iterator[tuple[Collection, PaletteEncoder]]:
        with Collection.open(self.library) as collection:
            yield collection, self.encoder

    def _run(self, watcher: Watcher) -> None:
        try:
            watcher.run()
        except BaseException as error:  # noqa: BLE001  (raised again by the test)
            self._error.append(error)

    def __enter__(self) -> Watch:
        Collection.open_or_create(self.library, self.encoder.manifest).close()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._error:
            raise self._error[0]

    def ids(self) -> dict[str, int]:
        """By file name."""
        with Collection.open(self.library) as collection:
            return {os.path.basename(state.path): state.id for state in collection.catalog.files_under("/")}

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._thread.is_alive(), self._error
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def until_there(self, *names: str) -> dict[str, int]:
        self.until(lambda: set(self.ids()) == set(names))
        return self.ids()

    def until_said(self, words: str) -> None:
        self.until(lambda: any(words in line for line in self.said))


@pytest.fixture
def watch(tmp_path: Path) -> Callable[..., Watch]:
    return lambda *folders, **options: Watch(tmp_path / "library", *folders, **options)


@pytest.mark.parametrize("poll", [False, True])
def test_files_come_change_move_and_go(watch: Any, tmp_path: Path, poll: bool) -> None:
    root = tmp_path / "in"
    write(root / "old.png", plain("red"))
    with watch(root, poll=poll) as running:
        running.until_there("old.png")
        running.until_said("1 added")
        write(root / "new.png", plain("blue"))
        write(root / "deep/er/one.jpg", photo(seed=1))
        before = running.until_there("old.png", "new.png", "one.jpg")
        later = time.time_ns() + 5_000_000_000  # polling knows whole seconds only
        write(root / "new.png", plain("green", (60, 60)), mtime_ns=later)
        running.until_said("1 changed")
        os.rename(root / "deep", root / "elsewhere")
        os.rename(root / "old.png", root / "renamed.png")
        after = running.until_there("renamed.png", "new.png", "one.jpg")
        running.until_said("2 moved")
        assert after == {"renamed.png": before["old.png"], "new.png": before["new.png"], "one.jpg": before["one.jpg"]}
        shutil.rmtree(root / "elsewhere")
        running.until_there("renamed.png", "new.png")
        assert sum(running.encoder.image_batches) == 4  # each content once


def test_only_what_has_changed_is_looked_into(watch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "in"
    fill(root / "a", 5)
    fill(root / "b", 5, start=5)
    with watch(root) as running:
        running.until_said("10 added")
        entered: list[str] = []
        enter = FolderWalk._enter

        def noted(self: FolderWalk, path: str, levels: Any) -> Any:
            entered.append(os.path.basename(path))
            return enter(self, path, levels)

        monkeypatch.setattr(FolderWalk, "_enter", noted)
        os.rename(root / "b/005.jpg", root / "b/moved.jpg")
        write(root / "b/new.jpg", photo(seed=99))
        running.until(lambda: {"new.jpg", "moved.jpg"} <= set(running.ids()))
        assert set(entered) == {"in", "b"}


def test_a_move_from_root_to_root_keeps_identity(watch: Any, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fill(one, 2)
    fill(two, 2, start=5)
    with watch(one, two) as running:
        before = running.until_there("000.jpg", "001.jpg", "005.jpg", "006.jpg")
        os.rename(one / "000.jpg", two / "a.jpg")
        os.rename(two / "005.jpg", one / "b.jpg")
        after = running.until_there("a.jpg", "001.jpg", "b.jpg", "006.jpg")
        assert (after["a.jpg"], after["b.jpg"]) == (before["000.jpg"], before["005.jpg"])


def test_a_root_goes_offline_and_comes_back(watch: Any, tmp_path: Path) -> None:
    root, other = tmp_path / "disk", tmp_path / "other"
    fill(root, 2)
    fill(other, 1, start=5)
    with watch(root, other) as running:
        running.until_there("000.jpg", "001.jpg", "005.jpg")
        root.rename(tmp_path / "away")
        running.until_said(f"offline: {root}")
        write(other / "006.jpg", photo(seed=6))
        running.until_there("000.jpg", "001.jpg", "005.jpg", "006.jpg")
        write(tmp_path / "away/002.jpg", photo(seed=2))
        (tmp_path / "away").rename(root)
        running.until_said(f"online again: {root}")
        running.until_there("000.jpg", "001.jpg", "002.jpg", "005.jpg", "006.jpg")
        write(root / "003.jpg", photo(seed=3))
        running.until(lambda: "003.jpg" in running.ids())


def test_a_root_that_is_emptied_under_the_watch_keeps_its_images(watch: Any, tmp_path: Path) -> None:
    root = tmp_path / "in"
    fill(root, 2)
    with watch(root) as running:
        running.until_there("000.jpg", "001.jpg")
        for path in root.iterdir():
            path.unlink()
        running.until_said("nothing was removed")
        running.until_there("000.jpg", "001.jpg")


def test_archives_are_looked_at_when_they_come_and_now_and_then(watch: Any, tmp_path: Path) -> None:
    """Also those that somebody indexes meanwhile, if all roots are followed."""
    old, new = tmp_path / "old.tar", tmp_path / "new.tar"
    make_tar(old, [("0.jpg", jpeg(0))])
    with watch(Root(str(old), "tar"), adopt=True, full_scan=0.3) as running:
        running.until_there("0.jpg")
        old.rename(tmp_path / "away")
        running.until_said(f"offline: {old}: it is not there; its images stay")
        make_tar(new, [("1.jpg", jpeg(1))])
        with Collection.open(running.library) as collection:
            collection.catalog.roots.put(Root(str(new), "tar"))
        running.until_there("0.jpg", "1.jpg")
        running.until_said("watching 2 other sources, looking every 0.005 min")
        make_tar(new, [("1.jpg", jpeg(1)), ("2.jpg", jpeg(2))])
        running.until_there("0.jpg", "1.jpg", "2.jpg")
        (tmp_path / "away").rename(old)
        running.until_said(f"online again: {old}")


def test_a_watch_without_roots_waits_for_the_first_one(watch: Any, tmp_path: Path) -> None:
    fill(tmp_path / "in", 1)
    with watch(adopt=True) as running:
        with Collection.open(running.library) as collection:
            collection.catalog.roots.put(Root(str(tmp_path / "in")))
        running.until_there("000.jpg")
        running.until_said(f"watching {tmp_path / 'in'}")


def test_a_collection_that_is_held_by_another_is_waited_for(watch: Any, tmp_path: Path) -> None:
    root = tmp_path / "in"
    fill(root, 1)
    with watch(root) as running:
        running.until_there("000.jpg")
        with locked(running.library, seconds=PATIENCE):
            fill(root, 1, start=1)
            running.until_said("another process is writing")
            assert len(running.ids()) == 1
        running.until_there("000.jpg", "001.jpg")


def test_an_encoder_that_fails_once_costs_nothing_but_time(watch: Any, tmp_path: Path) -> None:
    root = tmp_path / "in"
    fill(root, 1)
    with watch(root) as running:
        running.until_there("000.jpg")
        encode, failed = running.encoder.encode_images, threading.Event()

        def fails_once(pixels: Any) -> Any:
            if failed.is_set():
                return encode(pixels)
            failed.set()
            raise RuntimeError("out of luck")

        running.encoder.encode_images = fails_once
        fill(root, 1, start=1)
        running.until_said("RuntimeError: out of luck")
        running.until_there("000.jpg", "001.jpg")


def test_a_full_look_finds_what_nobody_told_of(watch: Any, tmp_path: Path) -> None:
    root, behind = tmp_path / "in", tmp_path / "behind"
    fill(behind, 1)
    root.mkdir()
    (root / "link").symlink_to(behind)
    with watch(root, poll=True, poll_seconds=3600.0, full_scan=0.3) as running:
        running.until_there("000.jpg")
        fill(behind, 1, start=1)
        running.until_there("000.jpg", "001.jpg")


def test_side_cars_and_bad_files(watch: Any, tmp_path: Path) -> None:
    root = tmp_path / "in"
    [path] = fill(root, 1)
    with watch(root) as running:
        [id_] = running.until_there("000.jpg").values()
        Path(path).with_suffix(".txt").write_text("a red barn")

        def texts() -> list[str]:
            with Collection.open(running.library) as collection:
                return [text.text for said in collection.catalog.texts([id_]).values() for text in said]

        running.until(lambda: texts() == ["a red barn"])
        write(root / "bad.jpg", b"no picture")
        running.until_said(f"failed: {root / 'bad.jpg'}")
        Path(path).with_suffix(".txt").unlink()
        running.until(lambda: texts() == [])
        assert running.encoder.image_batches == [1]


def test_what_others_decide_meanwhile_holds(watch: Any, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fill(one, 1)
    fill(two, 1, start=5)
    with watch(one, two, full_scan=0.3) as running:
        running.until_there("000.jpg", "005.jpg")
        with Collection.open(running.library) as collection:
            collection.catalog.roots.put(Root(str(one), exclude=("*.png",)))
            collection.catalog.roots.forget(Root(str(two)))
        running.until_said(f"forgotten: {two}")
        write(two / "006.jpg", photo(seed=6))
        write(one / "001.png", plain("red"))
        write(one / "002.jpg", photo(seed=2))
        running.until_there("000.jpg", "002.jpg", "005.jpg")
        with Collection.open(running.library) as collection:
            assert [(root.path, root.exclude) for root in collection.catalog.roots.all()] == [(str(one), ("*.png",))]
