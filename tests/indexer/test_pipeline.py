from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from indexer.catalog import ImageRecord
from indexer.collection import Collection
from indexer.errors import CollectionLocked, ModelMismatch, UnreadableImage
from indexer.images import Limits
from indexer.pipeline import Progress, SyncReport, sync
from indexer.schema import image
from indexer.scope import Scope
from indexer.sources import FolderSource, SourceFile, SourceProblem
from tests.indexer.test_xmp import packet
from tests.palette import PaletteEncoder
from tests.pictures import encoded, exif, nasty_files, photo, plain, quadrants, write

COUNTS = ("added", "unchanged", "changed", "moved", "removed", "failed")


@pytest.fixture
def encoder() -> PaletteEncoder:
    return PaletteEncoder()


@pytest.fixture
def collection(tmp_path: Path, encoder: PaletteEncoder) -> Iterator[Collection]:
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as opened:
        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


@pytest.fixture
def index(collection: Collection, encoder: PaletteEncoder, root: Path) -> Callable[..., SyncReport]:
    """Syncs the root (or another source) and checks what must hold after every sync."""

    def run(source: Any = None, **options: Any) -> SyncReport:
        encoder.image_batches.clear()
        report = sync(collection, encoder, source or FolderSource(root), **{"threads": 2, **options})
        assert report.failed == len(report.failures)
        assert all("\n" not in failure.reason for failure in report.failures)
        check_consistent(collection)
        return report

    return run


def check_consistent(collection: Collection) -> None:
    """A row for every vector, a vector for every row, each path once."""
    catalog = collection.catalog
    changes = list(catalog.changes_since(0))
    ids = np.concatenate([change.put_ids for change in changes]) if changes else np.empty(0, np.int64)
    records = catalog.get_many([int(id_) for id_ in ids])
    assert len(records) == len(ids) == catalog.count() == len(set(ids.tolist()))
    assert len({record.path for record in records.values()}) == len(records)


def counts(report: SyncReport) -> dict[str, int]:
    """Those that are not zero."""
    return {name: getattr(report, name) for name in COUNTS if getattr(report, name)}


def records(collection: Collection, root: Path) -> dict[str, ImageRecord]:
    """By path below the root."""
    states = collection.catalog.files_under(str(root))
    found = collection.catalog.get_many([state.id for state in states])
    return {os.path.relpath(record.path, root): record for record in found.values()}


def fill(root: Path, number: int, start: int = 0) -> list[str]:
    return [write(root / f"{i:03}.jpg", photo(64, 48, seed=i)) for i in range(start, start + number)]


def nearest(collection: Collection, encoder: PaletteEncoder, text: str) -> str:
    best = collection.search(encoder.encode_texts([text]), 1)[0]
    return os.path.basename(collection.catalog.get(int(best.ids[0])).path)


# --- what becomes of files


def test_new_files_are_added_with_what_they_say_about_themselves(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    block = exif(taken_at="2024:05:17 18:03:09", make="Canon", model="EOS 5D", orientation=6)
    path = write(root / "sub/a.jpg", encoded(quadrants(), exif=block), mtime_ns=1_700_000_000_123_456_789)
    write(root / "red.png", plain("red"))
    assert counts(index()) == {"added": 2}
    record = records(collection, root)["sub/a.jpg"]
    assert (record.path, record.width, record.height, record.format) == (path, 48, 64, "jpeg")
    assert (record.size, record.mtime_ns) == (os.path.getsize(path), 1_700_000_000_123_456_789)
    assert record.camera == "Canon EOS 5D"
    assert record.taken_at is not None
    assert record.taken_at.isoformat() == "2024-05-17T18:03:09"
    assert nearest(collection, encoder, "red") == "red.png"


def test_stored_vectors_are_the_encoders(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    from indexer.images import decode

    paths = fill(root, 20)
    index(batch_size=7)
    for path in paths:
        pixels = decode(Path(path).read_bytes(), encoder.manifest.preprocessing).pixels
        want = encoder.encode_images(pixels[None])[0]
        got = collection.vector(records(collection, root)[os.path.basename(path)].id)
        assert float(got @ want) > 0.9999


def test_a_second_run_reads_and_encodes_nothing(index: Any, encoder: PaletteEncoder, root: Path) -> None:
    class Unreadable(FolderSource):
        def read(self, path: str) -> bytes:
            raise AssertionError(f"read {path}")

    fill(root, 10)
    assert counts(index()) == {"added": 10}
    assert counts(index(Unreadable(root))) == {"unchanged": 10}
    assert encoder.image_batches == []


def test_images_are_encoded_in_full_batches(index: Any, encoder: PaletteEncoder, root: Path) -> None:
    fill(root, 20)
    index(batch_size=8)
    assert encoder.image_batches == [8, 8, 4]


def test_a_touched_file_is_unchanged_and_not_read_again(
    index: Any, encoder: PaletteEncoder, root: Path, collection: Collection
) -> None:
    path = fill(root, 1)[0]
    index()
    revision = collection.catalog.revision()
    os.utime(path, ns=(1, 1))
    assert counts(index()) == {"unchanged": 1}
    assert records(collection, root)["000.jpg"].mtime_ns == 1
    assert collection.catalog.revision() == revision
    assert encoder.image_batches == []


def test_images_of_an_earlier_version_are_looked_at_and_not_encoded(
    index: Any, encoder: PaletteEncoder, root: Path, collection: Collection
) -> None:
    path = fill(root, 2)[0]
    index()
    assert None not in [record.look for record in records(collection, root).values()]
    with collection.catalog._writing() as connection:
        connection.execute(sa.update(image).values(preview=None, colours=None))
    revision = collection.catalog.revision()
    assert counts(index()) == {"unchanged": 2}
    looks = {name: record.look for name, record in records(collection, root).items()}
    assert None not in looks.values()
    assert collection.catalog.revision() > revision  # whoever keeps what passes a filter is told
    assert encoder.image_batches == []
    shutil.copy(path, root / "copy.png")
    index()
    assert records(collection, root)["copy.png"].look == looks["000.jpg"]


def test_changed_content_keeps_the_id(index: Any, collection: Collection, encoder: PaletteEncoder, root: Path) -> None:
    path = write(root / "a.png", plain("red"), mtime_ns=1)
    write(root / "b.png", plain("gray"))
    index()
    before = records(collection, root)["a.png"]
    write(path, plain("blue", (50, 50)), mtime_ns=2)
    assert counts(index()) == {"changed": 1, "unchanged": 1}
    after = records(collection, root)["a.png"]
    assert after.id == before.id
    assert (after.width, after.height) == (50, 50)
    assert nearest(collection, encoder, "blue") == "a.png"


def test_content_of_the_same_size_is_told_apart(index: Any, root: Path, collection: Collection) -> None:
    """The hash is of the whole file: two BMPs that differ in their last pixel only."""
    picture = plain("red")
    path = write(root / "a.bmp", picture, mtime_ns=1)
    index()
    picture.putpixel((47, 0), (0, 0, 255))
    write(path, picture, mtime_ns=2)
    assert counts(index()) == {"changed": 1}


def test_removed_files_are_swept(index: Any, collection: Collection, root: Path) -> None:
    paths = fill(root, 5)
    index()
    for path in paths[1:3]:
        os.unlink(path)
    assert counts(index()) == {"removed": 2, "unchanged": 3}
    assert set(records(collection, root)) == {"000.jpg", "003.jpg", "004.jpg"}


def test_a_moved_file_keeps_its_identity(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    """Up and down the order of the walk, across folders, and by renaming a folder."""
    for name in ("a/1.jpg", "m/2.jpg", "m/3.jpg", "z/4.jpg"):
        write(root / name, photo(seed=ord(name[2])))
    index()
    before = {name: record.id for name, record in records(collection, root).items()}
    os.rename(root / "a/1.jpg", root / "z/1.jpg")
    os.rename(root / "z/4.jpg", root / "a/renamed.jpg")
    os.rename(root / "m", root / "n")
    assert counts(index()) == {"moved": 4}
    after = {name: record.id for name, record in records(collection, root).items()}
    assert after == {
        "z/1.jpg": before["a/1.jpg"],
        "a/renamed.jpg": before["z/4.jpg"],
        "n/2.jpg": before["m/2.jpg"],
        "n/3.jpg": before["m/3.jpg"],
    }
    assert encoder.image_batches == []
    assert counts(index()) == {"unchanged": 4}


def test_a_move_in_small_steps_of_commits(index: Any, collection: Collection, root: Path) -> None:
    """More files than are committed or looked ahead at once: rows move while the listing of rows goes on."""
    fill(root / "a", 50)
    index()
    before = {os.path.basename(name): record.id for name, record in records(collection, root).items()}
    os.rename(root / "a", root / "b")
    fill(root / "b", 10, start=50)
    assert counts(index(batch_size=1)) == {"moved": 50, "added": 10}
    after = {os.path.basename(name): record.id for name, record in records(collection, root).items()}
    assert after.items() >= before.items()


def test_a_copy_is_another_image(index: Any, collection: Collection, encoder: PaletteEncoder, root: Path) -> None:
    """It gets its own id, and the vector that is there already: the same bytes are not encoded twice."""
    write(root / "b.jpg", photo())
    index()
    first = records(collection, root)["b.jpg"]
    shutil.copy(root / "b.jpg", root / "a.jpg")
    shutil.copy(root / "b.jpg", root / "c.jpg")
    assert counts(index()) == {"added": 2, "unchanged": 1}
    assert encoder.image_batches == []
    after = records(collection, root)
    assert after["b.jpg"].id == first.id
    assert len({record.id for record in after.values()}) == 3
    assert {(r.width, r.format, r.content_hash) for r in after.values()} == {(640, "jpeg", first.content_hash)}
    assert np.array_equal(collection.vector(after["a.jpg"].id), collection.vector(first.id))


def test_copies_met_in_the_first_run(index: Any, collection: Collection, root: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c/a.jpg"):
        write(root / name, photo())
    assert counts(index(batch_size=1)) == {"added": 3}
    assert len({record.id for record in records(collection, root).values()}) == 3


def test_of_two_new_copies_of_a_lost_file_one_has_moved(index: Any, collection: Collection, root: Path) -> None:
    write(root / "a.jpg", photo())
    index()
    id_ = records(collection, root)["a.jpg"].id
    shutil.copy(root / "a.jpg", root / "b.jpg")
    os.rename(root / "a.jpg", root / "c.jpg")
    assert counts(index()) == {"moved": 1, "added": 1}
    assert records(collection, root)["b.jpg"].id == id_


def test_files_that_change_places(index: Any, collection: Collection, encoder: PaletteEncoder, root: Path) -> None:
    """A path keeps its id; what it holds is what it then holds."""
    write(root / "a.png", plain("red", (40, 40)), mtime_ns=1)
    write(root / "b.png", plain("blue", (60, 60)), mtime_ns=2)
    index(batch_size=1)
    os.rename(root / "a.png", root / "x")
    os.rename(root / "b.png", root / "a.png")
    os.rename(root / "x", root / "b.png")
    assert counts(index(batch_size=1)) == {"changed": 2}
    assert nearest(collection, encoder, "red") == "b.png"
    assert nearest(collection, encoder, "blue") == "a.png"
    assert records(collection, root)["a.png"].width == 60


def test_content_whose_twin_is_overwritten_before_its_vector_is_taken(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`c` is found to have the content that `a` had; by its turn, `a` has been committed with another."""
    write(root / "a.png", plain("red"), mtime_ns=1)
    write(root / "c.png", plain("blue", (60, 60)), mtime_ns=1)
    index()
    hash_of_a = records(collection, root)["a.png"].content_hash
    write(root / "c.png", (root / "a.png").read_bytes(), mtime_ns=2)
    write(root / "a.png", plain("green", (20, 20)), mtime_ns=2)
    with_hash, encode, looked_up = collection.catalog.with_hash, encoder.encode_images, threading.Event()

    def looked(content_hash: str) -> Any:
        found = with_hash(content_hash)
        if content_hash == hash_of_a:
            looked_up.set()
        return found

    def encoded_late(pixels: Any) -> Any:
        assert looked_up.wait(20)
        return encode(pixels)

    monkeypatch.setattr(collection.catalog, "with_hash", looked)
    monkeypatch.setattr(encoder, "encode_images", encoded_late)
    assert counts(index(batch_size=1)) == {"changed": 2}
    assert nearest(collection, encoder, "green") == "a.png"
    assert nearest(collection, encoder, "red") == "c.png"
    assert encoder.image_batches == [1, 1]


def test_a_file_renamed_and_its_name_taken_by_another(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    write(root / "a.png", plain("red"), mtime_ns=1)
    index()
    os.rename(root / "a.png", root / "b.png")
    write(root / "a.png", plain("blue", (60, 60)), mtime_ns=2)
    report = index()
    assert report.failed == 0
    assert nearest(collection, encoder, "red") == "b.png"
    assert nearest(collection, encoder, "blue") == "a.png"


def test_a_moved_file_onto_a_known_one(index: Any, collection: Collection, encoder: PaletteEncoder, root: Path) -> None:
    write(root / "a.png", plain("red"), mtime_ns=1)
    write(root / "b.png", plain("blue", (60, 60)), mtime_ns=2)
    index()
    id_ = records(collection, root)["b.png"].id
    os.replace(root / "a.png", root / "b.png")
    assert counts(index()) == {"changed": 1, "removed": 1}
    assert records(collection, root)["b.png"].id == id_
    assert nearest(collection, encoder, "red") == "b.png"
    assert encoder.image_batches == []


def test_a_file_that_moves_while_its_name_is_overwritten(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    """One id, wanted by the old content under its new name and by the new content under the old one: no mix-up."""

    class Racing(FolderSource):
        overwritten_read = threading.Event()

        def read(self, path: str) -> bytes:
            if path.endswith("b.png"):
                data = super().read(path)
                os.unlink(path)
                self.overwritten_read.set()
                return data
            assert self.overwritten_read.wait(20)
            return super().read(path)

    write(root / "b.png", plain("red"), mtime_ns=1)
    index()
    id_ = records(collection, root)["b.png"].id
    os.rename(root / "b.png", root / "a.png")
    write(root / "b.png", plain("blue", (60, 60)), mtime_ns=2)
    assert index(Racing(root)).moved == 1
    assert records(collection, root)["a.png"].id == id_
    assert nearest(collection, encoder, "red") == "a.png"
    assert nearest(collection, encoder, "blue") == "b.png"
    assert counts(index()) == {"unchanged": 1, "removed": 1}


# --- several roots


def test_two_roots_do_not_sweep_each_other(index: Any, collection: Collection, tmp_path: Path) -> None:
    for name in ("one", "one-more", "two"):
        fill(tmp_path / name, 3, start=len(name) * 10)
    for name in ("one", "one-more", "two"):
        assert counts(index(FolderSource(tmp_path / name))) == {"added": 3}
    os.unlink(tmp_path / "one/030.jpg")
    assert counts(index(FolderSource(tmp_path / "one"))) == {"removed": 1, "unchanged": 2}
    assert collection.catalog.count() == 8


def test_a_file_moved_to_another_root_keeps_its_identity(index: Any, collection: Collection, tmp_path: Path) -> None:
    fill(tmp_path / "one", 2)
    (tmp_path / "two").mkdir()
    index(FolderSource(tmp_path / "one"))
    before = records(collection, tmp_path / "one")["000.jpg"].id
    os.rename(tmp_path / "one/000.jpg", tmp_path / "two/000.jpg")
    assert counts(index(FolderSource(tmp_path / "two"))) == {"moved": 1}
    assert records(collection, tmp_path / "two")["000.jpg"].id == before
    assert counts(index(FolderSource(tmp_path / "one"))) == {"unchanged": 1}


# --- what goes wrong


def test_every_nasty_file_is_named_and_the_rest_indexed(index: Any, collection: Collection, root: Path) -> None:
    for name, content in nasty_files().items():
        write(root / name, content)
    good = [b"two words.jpg", b"new\nline.jpg", b"\xff\xfe.jpg", b"z/last.jpg"]
    for number, name in enumerate(good):
        write(os.path.join(os.fsencode(root), name), photo(64, 48, seed=number))
    write(root / "really-a-png.jpg", encoded(plain("red"), "PNG"))
    os.symlink("/nowhere/at/all.jpg", root / "dangling.jpg")
    os.symlink(root, root / "z/loop")
    os.mkfifo(root / "pipe.png")
    report = index(batch_size=2)
    assert counts(report) == {"added": 5, "failed": len(nasty_files()) + 3}
    failed = {os.path.relpath(failure.path, root): failure.reason for failure in report.failures}
    assert set(failed) == {*nasty_files(), "dangling.jpg", "z/loop", "pipe.png"}
    assert failed["empty.jpg"] == "the file is empty"
    assert "--max-pixels" in failed["huge.png"]
    listed = {os.fsencode(os.path.relpath(record.path, root)) for record in records(collection, root).values()}
    assert listed == {*good, b"really-a-png.jpg"}
    again = index()
    assert counts(again) == {"unchanged": 5, "failed": len(nasty_files()) + 3}


def test_one_bad_image_never_loses_its_batch(index: Any, encoder: PaletteEncoder, root: Path) -> None:
    fill(root, 8)
    write(root / "003.jpg", b"no picture")
    assert counts(index(batch_size=4)) == {"added": 7, "failed": 1}
    assert encoder.image_batches == [4, 3]


def test_files_over_the_limits_are_named_unread(index: Any, root: Path) -> None:
    with open(root / "huge.jpg", "wb") as file:
        file.truncate(1 << 40)
    write(root / "wide.png", plain("red", (1000, 10)))
    write(root / "ok.png", plain("red", (10, 10)))
    report = index(limits=Limits(max_pixels=9_999, max_bytes=1 << 20))
    assert counts(report) == {"added": 1, "failed": 2}
    reasons = {os.path.basename(failure.path): failure.reason for failure in report.failures}
    assert "--max-file-mb" in reasons["huge.jpg"]
    assert "--max-pixels" in reasons["wide.png"]


def test_a_file_that_becomes_unreadable_keeps_its_row(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    write(root / "a.png", plain("red"))
    write(root / "b.png", plain("blue"))
    index()
    before = records(collection, root)["a.png"]
    write(root / "a.png", b"overwritten by accident", mtime_ns=5)
    assert counts(index()) == {"failed": 1, "unchanged": 1}
    assert records(collection, root)["a.png"] == before
    assert nearest(collection, encoder, "red") == "a.png"
    write(root / "a.png", plain("red"))
    assert counts(index()) == {"unchanged": 2}


class Vanishing(FolderSource):
    """Files of these names are removed between the listing and the reading."""

    names: tuple[str, ...] = ()

    def read(self, path: str) -> bytes:
        if os.path.basename(path) in self.names:
            os.unlink(path)
        return super().read(path)


def test_a_file_that_vanishes_while_being_read(index: Any, collection: Collection, root: Path) -> None:
    known, *_ = fill(root, 6)
    index()
    os.utime(known, ns=(1, 1))
    write(root / "new.jpg", photo())
    write(root / "new2.jpg", photo(seed=99))
    source = Vanishing(root)
    source.names = ("000.jpg", "new.jpg")
    report = index(source)
    assert counts(report) == {"added": 1, "unchanged": 5, "failed": 2, "removed": 1}
    assert {failure.reason for failure in report.failures} == {"vanished while being read"}
    assert "000.jpg" not in records(collection, root)


class Problematic(FolderSource):
    """Folders of these names cannot be listed: root, who runs the tests, can list every real one."""

    names: tuple[str, ...] = ()

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        met = set()
        for found in super().walk():
            below = os.path.relpath(found.path, self.root).split(os.sep)[0]
            if below not in self.names:
                yield found
            elif below not in met:
                met.add(below)
                yield SourceProblem(os.path.join(self.root, below), "permission denied")


def test_nothing_below_a_problem_is_swept(index: Any, collection: Collection, root: Path) -> None:
    for name in ("a.jpg", "closed/b.jpg", "closed/deep/c.jpg", "closed.jpg", "closed0/d.jpg", "z.jpg"):
        write(root / name, photo(seed=sum(map(ord, name))))
    index()
    os.unlink(root / "closed.jpg")
    os.unlink(root / "closed0/d.jpg")
    source = Problematic(root)
    source.names = ("closed",)
    report = index(source)
    assert counts(report) == {"unchanged": 2, "removed": 2, "failed": 1}
    assert set(records(collection, root)) == {"a.jpg", "closed/b.jpg", "closed/deep/c.jpg", "z.jpg"}
    assert counts(index()) == {"unchanged": 4}


def test_a_link_that_dangles_protects_what_was_behind_it(
    index: Any, collection: Collection, root: Path, tmp_path: Path
) -> None:
    fill(tmp_path / "disk", 3)
    write(root / "a.jpg", photo())
    os.symlink(tmp_path / "disk", root / "disk")
    assert counts(index()) == {"added": 4}
    os.rename(tmp_path / "disk", tmp_path / "unplugged")
    assert counts(index()) == {"unchanged": 1, "failed": 1}
    assert collection.catalog.count() == 4


def test_an_empty_source_sweeps_nothing_and_says_why(index: Any, collection: Collection, root: Path) -> None:
    """The mount point of a disk that is not there is an empty folder."""
    fill(root, 3)
    index()
    for path in root.iterdir():
        path.unlink()
    report = index()
    assert counts(report) == {"failed": 1}
    assert report.failures[0].path == str(root)
    for part in ("3 were indexed", "nothing was removed", "connect the disk", "--accept-removals"):
        assert part in report.failures[0].reason
    assert collection.catalog.count() == 3


def test_the_remedy_for_a_folder_that_was_really_emptied(index: Any, collection: Collection, tmp_path: Path) -> None:
    fill(tmp_path / "up/emptied", 3)
    write(tmp_path / "up/other.jpg", photo())
    index(FolderSource(tmp_path / "up/emptied"))
    shutil.rmtree(tmp_path / "up/emptied")
    assert counts(index(FolderSource(tmp_path / "up"))) == {"added": 1, "removed": 3}


def test_an_empty_source_of_an_empty_collection_is_fine(index: Any) -> None:
    assert counts(index()) == {}


def test_a_root_that_vanished_sweeps_nothing(index: Any, collection: Collection, root: Path) -> None:
    fill(root, 3)
    index()
    source = FolderSource(root)
    os.rename(root, root.parent / "elsewhere")
    report = index(source)
    assert counts(report) == {"failed": 1}
    assert collection.catalog.count() == 3


class Broken(FolderSource):
    """The walk fails after its second file."""

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        walk = super().walk()
        yield next(walk)
        yield next(walk)
        raise RuntimeError("network drive lost")


def test_a_walk_that_fails_sweeps_nothing(index: Any, collection: Collection, root: Path) -> None:
    fill(root, 5)
    index()
    os.unlink(root / "001.jpg")
    with pytest.raises(RuntimeError, match="network drive lost"):
        index(Broken(root))
    assert collection.catalog.count() == 5
    check_consistent(collection)


def test_a_source_out_of_order_is_refused_before_anything_is_swept(
    index: Any, collection: Collection, root: Path
) -> None:
    class Backwards(FolderSource):
        def walk(self) -> Iterator[SourceFile | SourceProblem]:
            yield from reversed(list(super().walk()))

    fill(root, 5)
    index()
    with pytest.raises(ValueError, match="out of order"):
        index(Backwards(root))
    assert collection.catalog.count() == 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_has_whole_batches_and_the_next_goes_on(
    index: Any,
    collection: Collection,
    encoder: PaletteEncoder,
    root: Path,
    error: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(root, 20)
    encode = encoder.encode_images

    def third_fails(pixels: Any) -> Any:
        if len(encoder.image_batches) == 2:
            raise error
        return encode(pixels)

    with monkeypatch.context() as patch:
        patch.setattr(encoder, "encode_images", third_fails)
        with pytest.raises(error):
            index(batch_size=4)
    assert collection.catalog.count() == 8
    check_consistent(collection)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
    assert counts(index()) == {"added": 12, "unchanged": 8}


def test_another_indexer_at_work(index: Any, collection: Collection, encoder: PaletteEncoder) -> None:
    with Collection.open(collection.library) as other, other.writing(), pytest.raises(CollectionLocked):
        index()


def test_another_model(collection: Collection, root: Path) -> None:
    fill(root, 1)
    with pytest.raises(ModelMismatch):
        sync(collection, PaletteEncoder(weights_hash="1" * 64), FolderSource(root))
    assert collection.catalog.count() == 0


def test_errors_of_the_source_other_than_unreadable_are_not_swallowed(index: Any, root: Path) -> None:
    class Buggy(FolderSource):
        def read(self, path: str) -> bytes:
            raise ZeroDivisionError

    fill(root, 1)
    with pytest.raises(ZeroDivisionError):
        index(Buggy(root))


# --- streaming and progress


class Synthetic:
    """Any number of small pictures without a disk; knows how many were listed and not yet encoded at most."""

    root = "/synthetic"

    def __init__(self, number: int, encoder: PaletteEncoder) -> None:
        self._number, self._encoder = number, encoder
        self._content = [encoded(photo(16, 12, seed=seed), "BMP") for seed in range(8)]
        self.most_ahead = 0

    def walk(self) -> Iterator[SourceFile]:
        for i in range(self._number):
            self.most_ahead = max(self.most_ahead, i - sum(self._encoder.image_batches))
            yield SourceFile(f"{self.root}/{i:06}.bmp", 1000 + i, i)

    @property
    def kind(self) -> str:
        return "folder"

    def owns(self, path: str) -> bool:
        return True

    def count(self) -> int:
        return self._number

    def read(self, path: str) -> bytes:
        """A different file for every path, by bytes behind the picture."""
        return self._content[int(path[-10:-4]) % 8] + path.encode()


class Quick(PaletteEncoder):
    """The first pixels as they are: thousands of pictures in no time."""

    def encode_images(self, pixels: Any) -> Any:
        self.image_batches.append(len(pixels))
        rows = pixels.reshape(len(pixels), -1)[:, :64].astype(np.float32) + 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_look_ahead_is_bounded(collection: Collection) -> None:
    encoder = Quick()
    source = Synthetic(5_000, encoder)
    assert counts(sync(collection, encoder, source, batch_size=64, threads=2)) == {"added": 5_000}
    assert source.most_ahead <= 64 + 64 + 2 * 2 + 1  # a batch to encode, a batch being filled, twice the threads
    assert max(encoder.image_batches) == 64
    assert counts(sync(collection, encoder, source)) == {"unchanged": 5_000}


def test_progress_is_told(index: Any, root: Path) -> None:
    fill(root, 5)
    seen: list[Progress] = []
    index(progress=seen.append)
    assert seen[-1] == Progress(done=5, total=5)
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    write(root / "bad.jpg", b"")
    seen.clear()
    index(progress=seen.append)
    assert seen[-1] == Progress(done=6, total=6)


def test_reports_are_values(index: Any, root: Path) -> None:
    fill(root, 1)
    report = index()
    assert report.seconds > 0
    assert replace(report, seconds=0.0, pace=None) == SyncReport(1, 0, 0, 0, 0, 0, (), 0.0)
    with pytest.raises(AttributeError):
        report.added = 2


def test_a_read_error_is_the_files_alone(index: Any, root: Path) -> None:
    class Failing(FolderSource):
        def read(self, path: str) -> bytes:
            if path.endswith("001.jpg"):
                raise UnreadableImage("cannot be read (input/output error)")
            return super().read(path)

    fill(root, 3)
    assert counts(index(Failing(root))) == {"added": 2, "failed": 1}


# --- what is said of pictures


def said(collection: Collection, root: Path, name: str) -> tuple[list[str], int | None]:
    record = records(collection, root)[name]
    return [text.text for text in collection.catalog.texts([record.id]).get(record.id, ())], record.rating


def test_texts_follow_side_cars_and_nothing_is_encoded_for_them(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    write(root / "a.jpg", encoded(plain("red"), xmp=packet(attributes='xmp:Rating="3" dc:title="Red"')))
    write(root / "b.jpg", plain("blue"))
    index()
    revision = collection.catalog.revision()
    assert said(collection, root, "a.jpg") == (["Red"], 3)
    (root / "a.txt").write_text("a barn")
    (root / "b.jpg.XMP").write_bytes(packet(attributes='xmp:Rating="1"'))
    assert counts(index()) == {"unchanged": 2}
    assert said(collection, root, "a.jpg") == (["Red", "a barn"], 3)
    assert said(collection, root, "b.jpg") == ([], 1)
    assert collection.catalog.revision() > revision  # a rating is what filters ask for
    (root / "a.txt").write_text("a red barn")
    (root / "b.jpg.XMP").write_bytes(b"damaged")
    assert counts(index()) == {"unchanged": 2, "failed": 1}
    assert said(collection, root, "a.jpg") == (["Red", "a red barn"], 3)
    (root / "a.txt").unlink()
    assert counts(index()) == {"unchanged": 2}
    assert said(collection, root, "a.jpg") == (["Red"], 3)
    assert encoder.image_batches == []


def test_texts_go_with_what_moves_changes_and_is_copied(index: Any, collection: Collection, root: Path) -> None:
    write(root / "a.jpg", plain("red"))
    (root / "a.txt").write_text("a barn")
    index()
    os.rename(root / "a.jpg", root / "b.jpg")
    assert counts(index()) == {"moved": 1}
    assert said(collection, root, "b.jpg") == ([], None)
    (root / "b.txt").write_text("moved")
    shutil.copy(root / "b.jpg", root / "a.jpg")
    assert counts(index()) == {"added": 1, "unchanged": 1}
    assert said(collection, root, "a.jpg") == (["a barn"], None)
    assert said(collection, root, "b.jpg") == (["moved"], None)
    write(root / "a.jpg", plain("blue"))
    (root / "a.txt").write_text("the sea")
    assert counts(index()) == {"changed": 1, "unchanged": 1}
    assert said(collection, root, "a.jpg") == (["the sea"], None)


def test_a_picture_whose_texts_were_never_looked_for_is_read_once(
    index: Any, collection: Collection, encoder: PaletteEncoder, root: Path
) -> None:
    """As older versions left it."""
    write(root / "a.jpg", encoded(plain("red"), xmp=packet(attributes='dc:title="Red"')))
    index()
    with collection.catalog._writing() as connection:
        connection.exec_driver_sql("UPDATE image SET sidecars = NULL")
        connection.exec_driver_sql("DELETE FROM image_text")
    assert counts(index()) == {"unchanged": 1}
    assert said(collection, root, "a.jpg") == (["Red"], None)
    assert encoder.image_batches == []


# --- a part of a source


def test_a_part_is_looked_at_alone(index: Any, collection: Collection, root: Path) -> None:
    for name in ("a.jpg", "sub/b.jpg", "sub/deep/c.jpg", "sub0.jpg", "z.jpg"):
        write(root / name, photo(seed=sum(map(ord, name))))
    index()

    def part(*names: str, **options: Any) -> dict[str, int]:
        source = FolderSource(root)
        scope = Scope(parts=source.parts([str(root / name) for name in names]), **options)
        return counts(index(source, scope=scope))

    for name in ("a.jpg", "sub0.jpg", "z.jpg"):
        os.unlink(root / name)
    write(root / "new.jpg", photo(seed=1))
    assert part("sub") == {"unchanged": 2}
    assert part("a.jpg", "nothing.jpg", "sub/deep/c.jpg") == {"removed": 1, "unchanged": 1}
    os.rename(root / "sub", root / "moved")
    assert part("sub", "moved", "new.jpg") == {"moved": 2, "added": 1}
    shutil.rmtree(root / "moved/deep")
    assert part("moved/deep/c.jpg") == {"removed": 1}
    assert counts(index()) == {"unchanged": 2, "removed": 2}


def test_a_part_of_a_source_that_is_away_is_not_gone(index: Any, collection: Collection, root: Path) -> None:
    fill(root, 2)
    index()
    for path in root.iterdir():
        path.unlink()
    for emptied in (True, False):
        source = FolderSource(root)
        if not emptied:
            root.rmdir()
        report = index(source, scope=Scope(parts=source.parts([str(root / "000.jpg")])))
        assert counts(report) == {"failed": 1}
        assert report.offline
    assert collection.catalog.count() == 2
