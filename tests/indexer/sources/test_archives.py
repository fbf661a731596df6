"""Pictures in tar and zip files."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import ImageTooLarge, SourceNotFound, UnreadableImage
from indexer.images import Limits
from indexer.originals import Originals
from indexer.sources import FolderSource, ImageSource
from indexer.sources.tar import tar_source
from indexer.sources.zip import zip_source
from indexer.texts import ImageText
from tests.indexer.sources.conftest import Library, Member, jpeg, listed, make_tar, make_zip

Make = Callable[[Path, list[Member]], Path]
Open = Callable[..., ImageSource]

every_kind = pytest.mark.parametrize(
    ("make", "source", "suffix"),
    [(make_tar, tar_source, "tar"), (make_tar, tar_source, "tar.gz"), (make_zip, zip_source, "zip")],
)


@every_kind
def test_pictures_are_listed_in_order_and_read(make: Make, source: Open, suffix: str, tmp_path: Path) -> None:
    members = [("b/2.jpg", jpeg(2)), ("./b.JPG", jpeg(1)), ("a.png", jpeg(0)), ("a.txt", b"a caption"), ("n.pdf", b"")]
    archive = str(make(tmp_path / f"x.{suffix}", members))
    opened = source([archive])
    assert listed(opened) == [f"{archive}!/a.png", f"{archive}!/b.JPG", f"{archive}!/b/2.jpg"]
    assert opened.read(f"{archive}!/b/2.jpg") == jpeg(2)
    assert Originals().read(f"{archive}!/b.JPG") == jpeg(1)
    assert opened.count() == 3


@every_kind
def test_a_folder_of_archives(make: Make, source: Open, suffix: str, tmp_path: Path) -> None:
    """In the order of the pictures' paths, which is not that of the archives' names."""
    (tmp_path / "a").mkdir()
    for name in (f"a/1.{suffix}", f"a.{suffix}", f"a.{suffix}.2.{suffix}", f".hidden.{suffix}"):
        make(tmp_path / name, [("x.jpg", jpeg(len(name)))])
    (tmp_path / "a/plain.jpg").write_bytes(jpeg(0))
    found = [os.path.relpath(path, tmp_path) for path in listed(source([str(tmp_path)]))]
    assert found == [f"a.{suffix}!/x.jpg", f"a.{suffix}.2.{suffix}!/x.jpg", f"a/1.{suffix}!/x.jpg"]


@every_kind
def test_a_second_run_reads_nothing(
    make: Make, source: Open, suffix: str, tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make(tmp_path / f"x.{suffix}", [(f"{n}.jpg", jpeg(n)) for n in range(5)])
    assert library.sync(source([str(archive)])) == {"added": 5}
    again = source([str(archive)])
    monkeypatch.setattr(type(again), "read", lambda *_: pytest.fail("read again"))
    assert library.sync(again) == {"unchanged": 5}


@every_kind
def test_what_changed_in_an_archive_is_followed(
    make: Make, source: Open, suffix: str, tmp_path: Path, library: Library
) -> None:
    archive = tmp_path / f"x.{suffix}"
    make(archive, [("gone.jpg", jpeg(1)), ("kept.jpg", jpeg(2)), ("moved.jpg", jpeg(3)), ("other.jpg", jpeg(4))])
    library.sync(source([str(archive)]))
    before = library.ids
    make(archive, [("kept.jpg", jpeg(2)), ("new/moved.jpg", jpeg(3)), ("other.jpg", jpeg(5))])
    assert library.sync(source([str(archive)])) == {"unchanged": 1, "moved": 1, "changed": 1, "removed": 1}
    assert library.ids[f"{archive}!/new/moved.jpg"] == before[f"{archive}!/moved.jpg"]
    assert library.encoder.image_batches == [1]


@every_kind
def test_an_archive_that_moved_keeps_its_pictures_identity(
    make: Make, source: Open, suffix: str, tmp_path: Path, library: Library
) -> None:
    archive = make(tmp_path / f"x.{suffix}", [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    library.sync(source([str(tmp_path)]))
    before = sorted(library.ids.values())
    archive.rename(tmp_path / f"y.{suffix}")
    assert library.sync(source([str(tmp_path)])) == {"moved": 2}
    assert sorted(library.ids.values()) == before


def test_each_kind_leaves_the_others_rows_alone(tmp_path: Path, library: Library) -> None:
    """A folder, a tar and a zip in it: whichever is synced, what the others have listed is not gone."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.jpg").write_bytes(jpeg(1))
    make_tar(root / "x.tar", [("b.jpg", jpeg(2))])
    make_zip(root / "y.zip", [("c.jpg", jpeg(3))])
    sources: list[ImageSource] = [FolderSource(root), tar_source([str(root)]), zip_source([str(root)])]
    for source in sources:
        assert library.sync(source) == {"added": 1}
    for source in sources:
        assert library.sync(source) == {"unchanged": 1}


def test_a_picture_unpacked_from_an_archive_that_went_has_moved(tmp_path: Path, library: Library) -> None:
    archive = make_zip(tmp_path / "x.zip", [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    library.sync(zip_source([str(archive)]))
    before = library.ids[f"{archive}!/a.jpg"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(jpeg(1))
    assert library.sync(FolderSource(tmp_path / "photos")) == {"added": 1}  # a copy: the archive is still there
    archive.unlink()
    (tmp_path / "photos/b.jpg").write_bytes(jpeg(2))
    assert library.sync(FolderSource(tmp_path / "photos")) == {"unchanged": 1, "moved": 1}
    assert before in library.ids.values()


# --- archives that are not as they should be


def test_a_tar_that_is_cut_short_loses_nothing_that_was_indexed(tmp_path: Path, library: Library) -> None:
    archive = make_tar(tmp_path / "x.tar", [(f"{n}.jpg", jpeg(n)) for n in range(6)])
    library.sync(tar_source([str(archive)]))
    with tarfile.open(archive) as tar:
        third = tar.getmembers()[3]
    os.truncate(archive, third.offset_data + 10)
    report = library.report(tar_source([str(archive)]))
    assert [failure.reason for failure in report.failures] == [
        "the tar is cut short: what is missing is not taken as removed; copy it again"
    ]
    assert (report.removed, report.unchanged, len(library.ids)) == (0, 3, 6)


@pytest.mark.parametrize("lost", [5, 1000])
def test_a_packed_tar_that_is_cut_short_loses_nothing_that_was_indexed(
    tmp_path: Path, library: Library, lost: int
) -> None:
    """Nor one whose pictures are all there: its checksum is not."""
    archive = make_tar(tmp_path / "x.tgz", [(f"{n}.jpg", jpeg(n)) for n in range(6)])
    library.sync(tar_source([str(archive)]))
    os.truncate(archive, archive.stat().st_size - lost)
    report = library.report(tar_source([str(archive)]))
    assert "is cut short" in report.failures[0].reason
    assert (report.removed, len(library.ids)) == (0, 6)


@every_kind
def test_a_damaged_archive_is_one_failure_among_good_ones(
    make: Make, source: Open, suffix: str, tmp_path: Path, library: Library
) -> None:
    make(tmp_path / f"good.{suffix}", [("a.jpg", jpeg(1))])
    (tmp_path / f"bad.{suffix}").write_bytes(b"this is no archive " * 100)
    report = library.report(source([str(tmp_path)]))
    assert (report.added, report.failed) == (1, 1)
    assert report.failures[0].path == str(tmp_path / f"bad.{suffix}!")
    assert f"not a {suffix.partition('.')[0]} file" in report.failures[0].reason


@every_kind
def test_names_that_lead_out_are_refused(
    make: Make, source: Open, suffix: str, tmp_path: Path, library: Library
) -> None:
    names = ["../up.jpg", "a/../../up.jpg", "/etc/abs.jpg", "a//b.jpg"]
    archive = make(tmp_path / f"x.{suffix}", [*((name, jpeg(9)) for name in names), ("good.jpg", jpeg(1))])
    report = library.report(source([str(archive)]))
    assert (report.added, report.failed) == (1, len(names))
    assert {failure.reason for failure in report.failures} == {"its name leads out of the archive"}
    for name in names:
        with pytest.raises(UnreadableImage, match="does not hold it"):
            Originals().read(f"{archive}!/{name}")


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(jpeg(7))
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name, kind in (("soft.jpg", tarfile.SYMTYPE), ("hard.jpg", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "secret.jpg"
            tar.addfile(info)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("soft.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "secret.jpg")
    assert listed(tar_source([str(tmp_path / "x.tar")])) == []
    assert listed(zip_source([str(tmp_path / "x.zip")])) == []


@every_kind
def test_of_two_members_of_one_name_the_last_counts(make: Make, source: Open, suffix: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of the duplicate that is wanted here
        archive = make(tmp_path / f"x.{suffix}", [("a.jpg", jpeg(1)), ("a.jpg", jpeg(2))])
    opened = source([str(archive)])
    problem, path = listed(opened)
    assert "two members have this name" in problem
    assert opened.read(path) == jpeg(2)


def test_encrypted_members_are_named(tmp_path: Path, library: Library) -> None:
    archive = make_zip(tmp_path / "x.zip", [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    content = bytearray(archive.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag, in the first header and the directory
        content[content.index(mark) + place] |= 1
    archive.write_bytes(content)
    report = library.report(zip_source([str(archive)]))
    assert report.added == 1
    assert [(f.path, f.reason) for f in report.failures] == [
        (f"{archive}!/a.jpg", "it is encrypted; unpack it with its password")
    ]


def test_a_zip_bomb_costs_no_more_than_the_limit(tmp_path: Path, library: Library) -> None:
    """One member says what it grows to; the other lies."""
    archive = make_zip(tmp_path / "x.zip", [("bomb.bmp", bytes(50_000_000)), ("liar.bmp", bytes(5_000_000))])
    assert archive.stat().st_size < 100_000
    content = bytearray(archive.read_bytes())
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.rindex(mark) + place
        content[at : at + 4] = (1000).to_bytes(4, "little")
    archive.write_bytes(content)
    report = library.report(zip_source([str(archive)], max_bytes=1_000_000), Limits(max_bytes=1_000_000))
    reasons = {Path(failure.path).name: failure.reason for failure in report.failures}
    assert "50,000,000 bytes is over the limit of 1,000,000" in reasons["bomb.bmp"]
    assert "damaged in the zip" in reasons["liar.bmp"]
    with pytest.raises(ImageTooLarge):
        Originals(Limits(max_bytes=1_000_000)).read(f"{archive}!/bomb.bmp")


def test_captions_beside_a_member(tmp_path: Path) -> None:
    members = [
        ("s/000.jpg", jpeg(0)), ("s/000.json", b'{"captions": ["a dog", "a beach"]}'), ("s/000.txt", b"not this"),
        ("s/001.seg.png", jpeg(1)), ("s/001.txt", b"one\ntwo\n"), ("s/002.jpg", jpeg(2)), ("s/002.json", b"{damaged"),
    ]  # fmt: skip
    archive = make_tar(tmp_path / "x.tar", members)
    originals = Originals()
    assert originals.captions(f"{archive}!/s/000.jpg") == ("a dog", "a beach")
    assert originals.captions(f"{archive}!/s/001.seg.png") == ("one", "two")
    assert originals.captions(f"{archive}!/s/002.jpg") == ()


@every_kind
def test_what_is_said_of_a_member_is_kept_with_it(
    make: Make, source: Open, suffix: str, tmp_path: Path, library: Library
) -> None:
    picture = ("s/0.jpg", jpeg(0))
    archive = make(tmp_path / f"x.{suffix}", [picture, ("s/0.json", b'{"caption": "a dog"}'), ("1.jpg", jpeg(1))])
    assert library.sync(source([str(archive)])) == {"added": 2}
    make(archive, [picture, ("s/0.json", b"{damaged"), ("s/0.txt", b"a beach"), ("1.jpg", jpeg(1))])
    report = library.report(source([str(archive)]))
    assert (report.unchanged, report.changed, library.encoder.image_batches) == (2, 0, [])
    [failure] = report.failures
    assert failure.path == f"{archive}!/s/0.json"
    with Collection.open(library.folder) as collection:
        found = collection.catalog.texts(collection.catalog.ids())
    assert list(found.values()) == [(ImageText("caption", "a beach"),)]


def test_what_is_not_there_or_misnamed_is_said_at_once(tmp_path: Path) -> None:
    """What does not end in the suffix could not be told from a folder by its address."""
    make_zip(tmp_path / "x.cbz", [])
    with pytest.raises(SourceNotFound, match=r"ends in \.zip"):
        zip_source([str(tmp_path / "x.cbz")])
    (tmp_path / "d" / "y.zip!").mkdir(parents=True)
    inner = make_zip(tmp_path / "d" / "y.zip!" / "x.zip", [("a.jpg", jpeg(1))])
    (tmp_path / "d" / "y.zip!" / "a.jpg").write_bytes(jpeg(1))
    with pytest.raises(SourceNotFound, match="rename the folder"):
        zip_source([str(inner)])
    for source in (zip_source([str(tmp_path / "d")]), FolderSource(tmp_path / "d")):
        (problem,) = listed(source)
        assert problem.startswith(f"? {tmp_path}/d/y.zip!: its name is how")
    with pytest.raises(SourceNotFound, match="there is no such file"):
        tar_source([str(tmp_path / "none.tar")])


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar program")
def test_a_tar_made_by_tar_itself(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    long = "n" * 200 + ".jpg"  # longer than the header's field
    for name in ("a.jpg", long):
        (tmp_path / "d" / name).write_bytes(jpeg(len(name)))
    subprocess.run(["tar", "-cf", "x.tar", "./d"], cwd=tmp_path, check=True)
    opened = tar_source([str(tmp_path / "x.tar")])
    assert listed(opened) == [f"{tmp_path}/x.tar!/d/a.jpg", f"{tmp_path}/x.tar!/d/{long}"]
    assert opened.read(f"{tmp_path}/x.tar!/d/{long}") == jpeg(len(long))
