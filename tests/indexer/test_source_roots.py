"""Archives, lists, videos and object stores as roots: remembered, synced again, and never emptied by being away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.config import Settings
from indexer.errors import InvalidRequest, SourceNotFound
from indexer.pipeline import sync
from indexer.reports import SyncReport
from indexer.root_images import forget, image_counts, images_of
from indexer.root_sync import sync_targets, targets_of, total
from indexer.roots import FOLDER, Root
from indexer.scope import Scope
from indexer.source_roots import as_remembered, open_known, sources_of, sync_opened
from indexer.sources import ImageSource
from indexer.sources.naming import named_sources
from tests.indexer.sources.conftest import jpeg, make_tar, make_zip
from tests.indexer.sources.test_video import make_video
from tests.indexer.test_pipeline import counts
from tests.palette import PaletteEncoder


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    with Collection.open_or_create(tmp_path / "library", PaletteEncoder().manifest) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(library=tmp_path / "library", cache=tmp_path / "cache")


Index = Callable[..., dict[str, int]]


@pytest.fixture
def index(collection: Collection, settings: Settings) -> Index:
    """Like `sightline index SOURCE...`, or without any; gives the counts that are not zero."""

    def run(what: object, source: ImageSource, scope: Scope) -> SyncReport:
        return sync(collection, PaletteEncoder(), source, scope=scope, threads=2)

    def index(*places: Path | str, **options: str) -> dict[str, int]:
        known = collection.catalog.roots.all()
        named = named_sources([str(place) for place in places], **options)  # type: ignore[arg-type]
        again = [one for other in named for one in as_remembered(other, known)] if places else sources_of(known)
        opened = [open_known(one, known, settings) for one in again]
        return counts(total([report for one in opened for report in sync_opened(collection, one, run)]))

    return index


def states(collection: Collection) -> dict[str, str]:
    return {Path(root.path).name: root.state for root in collection.catalog.roots.all()}


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """Two tars, a zip, a list of a file, and a video of two frames in a folder."""
    folder = tmp_path / "in"
    for name in ("files", "zips", "videos"):
        (folder / name).mkdir(parents=True)
    make_tar(folder / "0.tar", [("a.jpg", jpeg(0)), ("b.jpg", jpeg(1))])
    make_tar(folder / "1.tar", [("a.jpg", jpeg(2))])
    make_zip(folder / "zips/x.zip", [("a.jpg", jpeg(3))])
    (folder / "files/a.jpg").write_bytes(jpeg(4))
    (folder / "list.csv").write_text("copy,url\nfiles/a.jpg,none.jpg\n")
    make_video(folder / "videos/x.mp4", [("red", 2), ("blue", 2)])
    return folder


@pytest.fixture
def indexed(everything: Path, index: Index) -> Path:
    assert index(everything / "0.tar", everything / "1.tar") == {"added": 3}
    assert index(everything / "zips", kind="zip") == {"added": 1}
    assert index(everything / "list.csv", column="copy") == {"added": 1}
    assert index(everything / "videos", kind="video") == {"added": 2}
    return everything


def test_each_place_is_a_root_with_its_options_and_all_are_synced_again(
    indexed: Path, index: Index, collection: Collection
) -> None:
    roots = collection.catalog.roots.all()
    assert [(Path(root.path).name, root.kind, root.options) for root in roots] == [
        ("0.tar", "tar", {}),
        ("1.tar", "tar", {}),
        ("list.csv", "list", {"column": "copy"}),
        ("videos", "video", {}),
        ("zips", "zip", {}),
    ]
    assert all(root.synced_at for root in roots)
    assert [len(named.places) for named in sources_of(roots)] == [2, 1, 1, 1]
    assert index() == {"unchanged": 7}
    assert index(indexed / "list.csv") == {"unchanged": 1}  # its column is remembered
    make_tar(indexed / "1.tar", [("b.jpg", jpeg(9))])
    assert index() == {"unchanged": 6, "added": 1, "removed": 1}
    assert [image_counts(collection)[root.key] for root in roots] == [2, 1, 1, 2, 1]


@pytest.mark.parametrize(
    ("away", "emptied", "offline", "images"),
    [
        ("0.tar", False, "0.tar", 2),
        ("zips", False, "zips", 1),
        ("zips", True, "zips", 1),
        ("videos", True, "videos", 2),
        ("list.csv", False, "list.csv", 1),
    ],
)
def test_what_is_not_there_is_no_deletion(
    indexed: Path, index: Index, collection: Collection, away: str, emptied: bool, offline: str, images: int
) -> None:
    hidden = indexed.parent / "hidden"
    (indexed / away).rename(hidden)
    if emptied:
        (indexed / away).mkdir()
    (indexed / "files/b.jpg").write_bytes(jpeg(8))
    assert index() == {"failed": 1, "unchanged": 7 - images}
    assert {name for name, state in states(collection).items() if state == "offline"} == {offline}
    kind = {"kind": away[:-1]} if away in ("zips", "videos") else {}
    assert index(indexed / away, **kind) == {"failed": 1}
    assert collection.catalog.count() == 7
    if emptied:
        (indexed / away).rmdir()
    hidden.rename(indexed / away)
    assert index() == {"unchanged": 7}
    assert set(states(collection).values()) == {"online"}


def test_files_of_a_list_whose_disk_is_away_stay_and_a_file_that_is_deleted_goes(
    indexed: Path, index: Index, collection: Collection
) -> None:
    (indexed / "files").rename(indexed / "away")
    assert index(indexed / "list.csv") == {"failed": 1}
    (indexed / "files").mkdir()  # its mount point
    assert index(indexed / "list.csv") == {"failed": 1}
    (indexed / "files/other.jpg").write_bytes(jpeg(8))
    assert index(indexed / "list.csv") == {"failed": 1, "removed": 1}


def test_what_lies_in_an_archive_that_is_away_has_not_moved(
    indexed: Path, index: Index, collection: Collection, tmp_path: Path, settings: Settings
) -> None:
    """Although a copy of it has come to a folder that is there."""
    for name in ("0.tar", "videos"):
        shutil.move(indexed / name, tmp_path / name)
    copy = tmp_path / "photos/copy.jpg"
    copy.parent.mkdir()
    copy.write_bytes(jpeg(0))

    def run(what: object, source: ImageSource, scope: Scope) -> SyncReport:
        assert scope.is_away(f"{indexed}/videos/x.mp4#t=000000.000")
        return sync(collection, PaletteEncoder(), source, scope=scope, threads=2)

    [report] = sync_targets(collection, targets_of([], str(copy.parent)), settings, run)
    assert counts(report.report) == {"added": 1}
    assert collection.catalog.count() == 8


def test_a_path_may_be_of_two_kinds_and_each_is_forgotten_by_itself(
    indexed: Path, index: Index, collection: Collection, settings: Settings
) -> None:
    def run(what: object, source: ImageSource, scope: Scope) -> SyncReport:
        return sync(collection, PaletteEncoder(), source, scope=scope, threads=2)

    (indexed / "zips/b.jpg").write_bytes(jpeg(7))
    list(sync_targets(collection, targets_of(collection.catalog.roots.all(), str(indexed / "zips")), settings, run))
    path = str(indexed / "zips")
    with pytest.raises(InvalidRequest, match=r"more than one kind \(folder, zip\): say which one with --kind"):
        collection.catalog.roots.get(path)
    zips, folder = (collection.catalog.roots.get(path, kind) for kind in ("zip", FOLDER))
    assert [len(list(images_of(collection, root))) for root in (zips, folder)] == [1, 1]
    assert forget(collection, folder, images=True) == 1
    assert index(indexed / "zips", kind="zip") == {"unchanged": 1}
    video = collection.catalog.roots.get(str(indexed / "videos"))
    assert forget(collection, video, images=True) == 2
    assert collection.catalog.count() == 5


def test_an_image_belongs_to_the_innermost_root_of_its_kind(
    indexed: Path, index: Index, collection: Collection
) -> None:
    assert index(indexed, kind="tar") == {"unchanged": 3}
    assert index(indexed / "videos/x.mp4") == {"unchanged": 2}
    counted = {root.path: image_counts(collection)[root.key] for root in collection.catalog.roots.all()}
    assert (counted[str(indexed)], counted[str(indexed / "0.tar")]) == (0, 2)
    assert (counted[str(indexed / "videos")], counted[str(indexed / "videos/x.mp4")]) == (0, 2)
    inner = collection.catalog.roots.get(str(indexed / "videos/x.mp4"))
    assert len(list(images_of(collection, inner))) == 2


def test_mistakes_are_not_taken_for_what_is_away(indexed: Path, index: Index, collection: Collection) -> None:
    """A new source that is not there; a known one with an option that does not fit."""
    before = collection.catalog.roots.all()
    with pytest.raises(SourceNotFound, match="there is no such file"):
        index(indexed / "0.tar", indexed / "2.tar")
    with pytest.raises(SourceNotFound, match="no column 'picture'"):
        index(indexed / "list.csv", column="picture")
    assert collection.catalog.roots.all() == before


def test_a_kind_of_the_future_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="which this Sightline cannot read: upgrade"):
        sources_of([Root("/x", "hologram")])


def test_a_store_that_does_not_answer_is_offline(
    collection: Collection, settings: Settings, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at that endpoint."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with pytest.raises(SourceNotFound, match="the store does not answer"):
        index("s3://bucket/p")
    collection.catalog.roots.put(Root("s3://bucket/p", "remote"))
    assert index() == {"failed": 1}
    [root] = collection.catalog.roots.all()
    assert root.state == "offline"
    assert "the store does not answer" in root.reason
    s3fs.S3FileSystem.clear_instance_cache()
