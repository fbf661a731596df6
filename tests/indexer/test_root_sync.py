"""Roots: synced as they were given, and never emptied because something is not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.collection import Collection
from indexer.config import Settings
from indexer.errors import InvalidRequest, SourceNotFound
from indexer.pipeline import sync
from indexer.root_images import forget, images_of
from indexer.root_sync import Target, beside_roots, sync_targets, targets_of, total
from indexer.sources.tar import tar_source
from tests.indexer.sources.conftest import jpeg, make_tar
from tests.indexer.test_pipeline import counts, fill
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

Index = Callable[..., dict[str, int]]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open_or_create(tmp_path / "library", PaletteEncoder().manifest) as opened:
        yield opened


@pytest.fixture
def index(collection: Collection) -> Index:
    """Like `sightline index FOLDER --include ... --exclude ...`; gives the counts that are not zero."""

    def run(folder: Path | None = None, *, accept_removals: bool = False, **patterns: list[str]) -> dict[str, int]:
        encoder, settings = PaletteEncoder(), Settings(library=collection.library)
        targets = targets_of(collection.catalog.roots.all(), folder and str(folder), **patterns)

        def one(target: Any, source: Any, scope: Any) -> Any:
            return sync(collection, encoder, source, scope=scope, threads=2)

        reports = list(sync_targets(collection, targets, settings, one, accept_removals=accept_removals))
        report = total(reports)
        return counts(report) | ({"excluded": report.excluded} if report.excluded else {})

    return run


def sync_parts(collection: Collection, target: Target) -> dict[str, int]:
    """As a watch does."""

    def one(target: Any, source: Any, scope: Any) -> Any:
        return sync(collection, PaletteEncoder(), source, scope=scope, threads=2)

    [report] = sync_targets(collection, [target], Settings(library=collection.library), one)
    return counts(report.report)


def states(collection: Collection) -> dict[str, str]:
    return {os.path.basename(root.path): root.state for root in collection.catalog.roots.all()}


def paths(collection: Collection, below: Path) -> list[str]:
    return [os.path.relpath(state.path, below) for state in collection.catalog.files_under(str(below))]


# --- patterns


def test_what_is_excluded_is_taken_out_and_the_patterns_stay(
    index: Index, collection: Collection, tmp_path: Path
) -> None:
    for name in ("a.jpg", "b.png", "raw/c.jpg", "x/raw/d.jpg", "x/keep.png"):
        write(tmp_path / "in" / name, photo(seed=sum(map(ord, name))))
    write(tmp_path / "other/raw/e.png", photo(seed=77))
    assert index(tmp_path / "other") == {"added": 1}
    assert index(tmp_path / "in") == {"added": 5}
    assert index(tmp_path / "in", exclude=["raw/", "*.png", "!keep.png"]) == {"unchanged": 2, "excluded": 3}
    assert paths(collection, tmp_path) == ["in/a.jpg", "in/x/keep.png", "other/raw/e.png"]
    write(tmp_path / "in/y/raw/f.jpg", photo(seed=78))
    assert index() == {"unchanged": 3}
    assert index(tmp_path / "in", include=["/x/"]) == {"unchanged": 1, "added": 1, "excluded": 1}  # x/raw/d.jpg is back
    assert index(tmp_path / "in", exclude=[""]) == {"unchanged": 2, "added": 4}


def test_patterns_that_leave_nothing_are_no_missing_disk(index: Index, tmp_path: Path) -> None:
    fill(tmp_path / "in", 2)
    index(tmp_path / "in")
    assert index(tmp_path / "in", include=["*.png"]) == {"excluded": 2}


@pytest.mark.parametrize("pattern", ["!", "\\"])
def test_what_is_no_pattern_is_said(index: Index, tmp_path: Path, pattern: str) -> None:
    with pytest.raises(InvalidRequest, match=r"--exclude .* is not a pattern as in \.gitignore"):
        index(tmp_path, exclude=[pattern])


# --- roots within each other


def test_a_folder_in_a_known_root_is_a_part_of_it(index: Index, collection: Collection, tmp_path: Path) -> None:
    for name in ("a.jpg", "sub/b.jpg", "sub/c.png"):
        write(tmp_path / "in" / name, photo(seed=ord(name[-5])))
    index(tmp_path / "in", exclude=["*.png"])
    write(tmp_path / "in/d.jpg", photo(seed=1))
    write(tmp_path / "in/sub/e.jpg", photo(seed=2))
    assert index(tmp_path / "in/sub") == {"added": 1, "unchanged": 1}
    assert [root.path for root in collection.catalog.roots.all()] == [str(tmp_path / "in")]
    with pytest.raises(SourceNotFound):
        index(tmp_path / "in/typo-outside/../../nowhere")


def test_a_root_within_another_keeps_its_own_patterns(index: Index, collection: Collection, tmp_path: Path) -> None:
    for name in ("a.jpg", "sub/b.jpg", "sub/c.png"):
        write(tmp_path / "in" / name, photo(seed=ord(name[-5])))
    assert index(tmp_path / "in/sub", include=["*.png"]) == {"added": 1}
    assert index(tmp_path / "in", exclude=["*.png"]) == {"added": 1, "unchanged": 1}
    assert paths(collection, tmp_path / "in") == ["a.jpg", "sub/c.png"]
    [outer, inner] = collection.catalog.roots.all()
    assert len(list(images_of(collection, outer))) == len(list(images_of(collection, inner))) == 1
    assert forget(collection, outer, images=True) == 1
    assert paths(collection, tmp_path / "in") == ["sub/c.png"]


def test_what_lies_in_archives_in_a_root_is_not_its_own(index: Index, collection: Collection, tmp_path: Path) -> None:
    """Neither its sync, nor that of a part of it, as a watch asks for, nor forgetting it touches them."""
    root, encoder = tmp_path / "in", PaletteEncoder()
    fill(root / "sub", 2)
    for name in ("x.tar", "sub/y.tar"):
        make_tar(root / name, [(f"{seed}.jpg", jpeg(seed)) for seed in (len(name), 50 + len(name))])
    sync(collection, encoder, tar_source([str(root)]), scope=beside_roots(collection))
    index(root)
    (root / "sub" / sorted(os.listdir(root / "sub"))[0]).unlink()
    assert index(root) == {"unchanged": 1, "removed": 1}
    for name in ("x.tar", "sub/y.tar"):
        (root / name).unlink()
    [known] = collection.catalog.roots.all()
    parts = Target(known, (str(root / "x.tar"), str(root / "sub")))
    assert sync_parts(collection, parts) == {"unchanged": 1}
    assert index(root, exclude=["sub/"]) == {"excluded": 1}
    assert index(root, exclude=[""]) == {"added": 1}
    assert len(list(images_of(collection, known))) == 1
    assert forget(collection, known, images=True) == 1
    assert collection.catalog.count() == 4


def test_what_is_on_a_disk_that_is_away_has_not_moved_into_an_archive(
    index: Index, collection: Collection, tmp_path: Path
) -> None:
    fill(tmp_path / "in", 1)
    index(tmp_path / "in")
    [picture] = (tmp_path / "in").iterdir()
    archive = make_tar(tmp_path / "x.tar", [("a.jpg", picture.read_bytes())])
    shutil.move(tmp_path / "in", tmp_path / "away")
    report = sync(collection, PaletteEncoder(), tar_source([str(archive)]), scope=beside_roots(collection))
    assert counts(report) == {"added": 1}


def test_a_file_moved_from_one_root_to_the_next_keeps_its_identity(
    index: Index, collection: Collection, tmp_path: Path
) -> None:
    """Whichever is looked at first."""
    fill(tmp_path / "one", 2)
    fill(tmp_path / "two", 2, start=5)
    index(tmp_path / "one")
    index(tmp_path / "two")
    ids = {os.path.basename(s.path): s.id for s in collection.catalog.files_under(str(tmp_path))}
    os.rename(tmp_path / "one/000.jpg", tmp_path / "two/000.jpg")
    os.rename(tmp_path / "two/005.jpg", tmp_path / "one/005.jpg")
    os.unlink(tmp_path / "one/001.jpg")
    assert index() == {"moved": 2, "unchanged": 1, "removed": 1}
    del ids["001.jpg"]
    assert {os.path.basename(s.path): s.id for s in collection.catalog.files_under(str(tmp_path))} == ids


# --- what is not there


def _unplugged(root: Path) -> None:
    root.rename(root.with_name("away"))


def _emptied(root: Path) -> None:
    _unplugged(root)
    root.mkdir()


def _hidden_only(root: Path) -> None:
    _emptied(root)
    (root / ".Trash").mkdir()


@pytest.mark.parametrize("take_away", [_unplugged, _emptied, _hidden_only])
def test_an_unplugged_disk_is_no_deletion(
    index: Index, collection: Collection, tmp_path: Path, take_away: Callable[[Path], None]
) -> None:
    fill(tmp_path / "disk", 3)
    fill(tmp_path / "here", 1, start=9)
    index(tmp_path / "disk")
    index(tmp_path / "here")
    take_away(tmp_path / "disk")
    os.unlink(tmp_path / "here/009.jpg")
    fill(tmp_path / "here", 1, start=10)
    assert index() == {"failed": 1, "added": 1, "removed": 1}
    assert states(collection) == {"disk": "offline", "here": "online"}
    assert [root.state for root in collection.stats().roots] == ["offline", "online"]
    assert collection.catalog.count() == 4
    shutil.rmtree(tmp_path / "disk", ignore_errors=True)
    (tmp_path / "away").rename(tmp_path / "disk")
    assert index() == {"unchanged": 4}
    assert states(collection) == {"disk": "online", "here": "online"}


def test_a_copy_of_what_is_on_an_unplugged_disk_does_not_take_its_place(
    index: Index, collection: Collection, tmp_path: Path
) -> None:
    fill(tmp_path / "disk", 1)
    (tmp_path / "here").mkdir()
    index(tmp_path / "disk")
    shutil.copy(tmp_path / "disk/000.jpg", tmp_path / "here/copy.jpg")
    _unplugged(tmp_path / "disk")
    assert index(tmp_path / "here") == {"added": 1}
    assert collection.catalog.count() == 2


def test_a_folder_that_is_really_empty(index: Index, collection: Collection, tmp_path: Path) -> None:
    fill(tmp_path / "in", 3)
    index(tmp_path / "in")
    _emptied(tmp_path / "in")
    assert index(tmp_path / "in") == {"failed": 1}
    assert index(tmp_path / "in", accept_removals=True) == {"removed": 3}
    assert states(collection) == {"in": "online"}


@pytest.fixture
def another_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


def test_a_disk_within_a_root(index: Index, collection: Collection, tmp_path: Path, another_disk: Path) -> None:
    """Mounted by a link here. Its mount point is an empty folder when it is away."""
    fill(tmp_path / "in", 2)
    fill(another_disk, 2, start=5)
    (tmp_path / "in/usb").symlink_to(another_disk)
    assert index(tmp_path / "in") == {"added": 4}
    assert collection.catalog.roots.all()[0].mounts == (str(tmp_path / "in/usb"),)
    (tmp_path / "in/usb").unlink()
    (tmp_path / "in/usb").mkdir()
    for _ in range(2):
        assert index() == {"unchanged": 2, "failed": 1}
    assert collection.catalog.count() == 4
    assert index(tmp_path / "in", accept_removals=True) == {"unchanged": 2, "removed": 2}


def test_nothing_to_go_by(index: Index, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="nothing has been indexed"):
        index()
    with pytest.raises(SourceNotFound):
        index(tmp_path / "nowhere")
    fill(tmp_path / "in", 1)
    index(tmp_path / "in")
    with pytest.raises(InvalidRequest, match="of one folder; name it"):
        index(exclude=["*.png"])
