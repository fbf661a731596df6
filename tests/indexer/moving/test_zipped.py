from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from indexer.moving import zipped as module
from indexer.moving.zipped import MISSING, zipped
from indexer.originals import Originals
from indexer.records import ImageRecord
from tests.indexer.samples import an_image
from tests.pictures import encoded, photo, write


def record(path: str) -> ImageRecord:
    new = an_image(path)
    known = {name: getattr(new, name) for name in type(new).__dataclass_fields__}
    return ImageRecord(**{**known, "id": 1, "indexed_at": datetime.now(UTC)})


def opened(*paths: str, missing: tuple[str, ...] = ()) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(BytesIO(b"".join(zipped(map(record, paths), Originals(), missing))))
    assert archive.testzip() is None
    return archive


def test_originals_are_in_it_as_they_are_and_nothing_is_packed_twice(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, photo(80, 60)) for name in ("a.jpg", "b.png")]
    archive = opened(*paths)
    assert [info.compress_type for info in archive.infolist()] == [zipfile.ZIP_STORED] * 2
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "a.jpg": Path(paths[0]).read_bytes(),
        "b.png": Path(paths[1]).read_bytes(),
    }


def test_names_are_told_apart_and_safe(tmp_path: Path) -> None:
    names = (
        "1/beach.jpg",
        "2/beach.jpg",
        "3/Beach.JPG",
        "4/..jpg",
        "5/a:b\\c.jpg",
        "6/noend",
        "7/noend",
        "8/missing.txt",
    )
    paths = [write(tmp_path / name, b"x") for name in names]
    odd = os.fsencode(tmp_path / "9") + b"/caf\xe9.jpg"
    archive = opened(*paths, write(odd, b"x"))
    assert archive.namelist() == [
        "beach.jpg", "beach (2).jpg", "Beach (3).JPG", "_jpg", "a_b_c.jpg", "noend", "noend (2)", "missing (2).txt",
        "caf_.jpg",
    ]  # fmt: skip


def test_what_is_missing_is_listed_at_the_end(tmp_path: Path) -> None:
    there, gone, pipe = write(tmp_path / "a.jpg", b"x"), str(tmp_path / "gone.jpg"), str(tmp_path / "pipe.jpg")
    os.mkfifo(pipe)
    archive = opened(gone, pipe, there, missing=("image 9: no longer in the collection",))
    assert archive.namelist() == ["a.jpg", MISSING]
    assert archive.read(MISSING).decode().splitlines() == [
        "image 9: no longer in the collection",
        f"{gone}: No such file or directory",
        f"{pipe}: not a file",
    ]


def test_members_of_archives_are_taken_out_and_a_video_is_sent_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as container:
        container.writestr("sub/inner.jpg", encoded(photo(40, 30)))
    video = write(tmp_path / "dive.mp4", b"a video")
    archive = opened(f"{tmp_path}/x.zip!/sub/inner.jpg", f"{video}#t=000001.000", f"{video}#t=000002.000")
    assert archive.namelist() == ["inner.jpg", "dive.mp4"]
    assert archive.read("dive.mp4") == b"a video"


def test_one_that_breaks_off_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write(tmp_path / f"{name}.jpg", b"whole") for name in "ab"]
    parts = module._parts

    def breaking(file: str, lines: list[str]) -> Iterator[bytes]:
        os.unlink(file) if file == paths[0] else None  # between the look at it and its turn
        return parts(file, lines)

    monkeypatch.setattr(module, "_parts", breaking)
    archive = opened(*paths)
    assert archive.namelist() == ["a.jpg", "b.jpg", MISSING]
    assert archive.read("b.jpg") == b"whole"
    assert "a.jpg: not whole (No such file or directory)" in archive.read(MISSING).decode()


def test_nothing_is_read_before_it_is_sent(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.jpg", bytes(3 << 20)) for number in range(3)]
    parts = zipped(map(record, paths), Originals())
    for _ in range(3):
        assert len(next(parts)) <= 1 << 20
    os.unlink(paths[2])
    assert sum(map(len, parts)) < 8 << 20  # the third was not there when its turn came
