"""Pictures that are no files of their own, wherever a path is read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from indexer.care.files import files
from indexer.collection import Collection
from indexer.originals import Originals, file_of
from indexer.pipeline import sync
from indexer.reindex import reindex
from indexer.shadow import _captions
from indexer.sources.listed import ListSource
from indexer.sources.tar import tar_source
from indexer.sources.zip import zip_source
from tests.indexer.sources.conftest import jpeg, make_tar, make_zip
from tests.palette import PaletteEncoder


@pytest.fixture
def collection(tmp_path: Path) -> Any:
    """Two pictures in a shard, with captions; one in a zip; a list of the two."""
    members = [("a.jpg", jpeg(1)), ("a.txt", b"a caption\n"), ("b.jpg", jpeg(2)), ("b.json", b'{"caption": "another"}')]
    make_tar(tmp_path / "x.tar", members)
    make_zip(tmp_path / "x.zip", [("c.jpg", jpeg(3))])
    (tmp_path / "d.jpg").write_bytes(jpeg(4))
    (tmp_path / "list.txt").write_text("d.jpg\n")
    encoder = PaletteEncoder()
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as made:
        for source in (
            tar_source([str(tmp_path / "x.tar")]),
            zip_source([str(tmp_path / "x.zip")]),
            ListSource(str(tmp_path / "list.txt")),
        ):
            assert sync(made, encoder, source).failed == 0
        yield made


def test_another_model_is_filled_from_where_the_pictures_are(collection: Collection, tmp_path: Path) -> None:
    catalog = collection.catalog
    other = PaletteEncoder(model="other", weights_hash="1" * 64)
    job = catalog.jobs.add("reindex", {"model": "other"})
    report = reindex(catalog, other, catalog.shards(job.id), lambda done, total: None, threads=2)
    assert (report.filled, report.missing, report.failures) == (4, 0, ())


def test_the_doctor_looks_into_archives(collection: Collection, tmp_path: Path) -> None:
    assert [finding.message for finding in files(collection.catalog)] == ["all 4 are as they were indexed"]
    make_tar(tmp_path / "x.tar", [("a.jpg", jpeg(1))])
    make_zip(tmp_path / "x.zip", [("c.jpg", jpeg(9))])
    (tmp_path / "d.jpg").unlink()
    messages = [finding.message for finding in files(collection.catalog)]
    assert messages == [
        f"2 files are gone from folders that are there, below {tmp_path}",
        f"2 files have changed since they were indexed, below {tmp_path}",
    ]


def test_the_doctor_asks_no_other_machine(collection: Collection, tmp_path: Path) -> None:
    """No picture was ever at that address; were it asked for, the test would fail by the time that takes."""
    record = collection.catalog.latest(1)[0]
    moved = [(record.id, f"{tmp_path}/list.txt!/http://192.0.2.1/d.jpg", record.size, 0)]
    collection.catalog.move(moved)
    (message,) = (finding.message for finding in files(collection.catalog))
    assert message == "all 3 are as they were indexed; 1 on other machines were not asked for"


def test_captions_in_archives_are_at_hand(collection: Collection, tmp_path: Path) -> None:
    captions, owners = _captions(collection)
    assert captions == ["a caption", "another"]
    paths = {record.id: record.path for record in collection.catalog.latest(10)}
    assert [paths[id_] for id_ in owners] == [f"{tmp_path}/x.tar!/a.jpg", f"{tmp_path}/x.tar!/b.jpg"]


def test_what_is_gone_unchanged_or_neither(tmp_path: Path) -> None:
    originals = Originals()
    archive = make_zip(tmp_path / "x.zip", [("c.jpg", jpeg(3))])
    path = f"{archive}!/c.jpg"
    now = originals.look(path)
    assert now is not None
    assert originals.is_unchanged(path, now.size, now.mtime_ns)
    assert not originals.is_unchanged(path, now.size, now.mtime_ns + 1)
    assert originals.is_gone(f"{archive}!/none.jpg")
    assert originals.is_gone(f"{tmp_path}/list.csv!/http://192.0.2.1/a.jpg")
    archive.write_bytes(b"damaged")
    assert not originals.is_gone(path)
    assert not originals.is_unchanged(path, now.size, now.mtime_ns)
    (tmp_path / "link.jpg").symlink_to("nowhere")
    assert not originals.is_gone(str(tmp_path / "link.jpg"))


@pytest.mark.parametrize(
    ("path", "file"),
    [("/a/b.jpg", "/a/b.jpg"), ("/a/b.mp4#t=000001.000", "/a/b.mp4"), ("/a/l.txt!/b.jpg", "/a/b.jpg"),
     ("/a/l.txt!/http://x.org/b.jpg", None), ("/a/x.zip!/b.jpg", None), ("s3://b/c.jpg", None)],
)  # fmt: skip
def test_which_originals_are_files_of_this_machine(path: str, file: str | None) -> None:
    assert file_of(path) == file
