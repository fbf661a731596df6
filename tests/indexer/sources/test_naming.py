from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.config import Settings
from indexer.errors import InvalidRequest, SourceNotFound
from indexer.sources.naming import NamedSource, named_sources
from tests.indexer.sources.conftest import jpeg, make_tar, make_zip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "shards", "mixed", "empty", "films"):
        (tmp_path / folder).mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(jpeg(1))
    for tar in ("shards/0.tar", "shards/1.tar", "mixed/0.tar"):
        make_tar(tmp_path / tar, [("a.jpg", jpeg(2))])
    (tmp_path / "shards/nshards.txt").write_text("2")
    (tmp_path / "mixed/sub").mkdir()
    make_zip(tmp_path / "a.ZIP", [("a.jpg", jpeg(3))])
    (tmp_path / "list.csv").write_text("path\nphotos/a.jpg\n")
    return tmp_path


@pytest.mark.parametrize(
    ("place", "kind"),
    [("photos", "folder"), ("shards", "tar"), ("mixed", "folder"), ("empty", "folder"), ("shards/0.tar", "tar"),
     ("x.Tar.GZ", "tar"), ("x.tgz", "tar"),
     ("a.ZIP", "zip"), ("list.csv", "list"), ("x.webm", "video"), ("photos/a.jpg", "folder"), ("s3://b/c", "remote")],
)  # fmt: skip
def test_the_name_tells_the_kind(here: Path, place: str, kind: str) -> None:
    (named,) = named_sources([place])
    assert (named.kind, named.places) == (kind, (place if kind == "remote" else str(here / place),))


def test_archives_beside_each_other_are_one_source(here: Path) -> None:
    named = named_sources(["shards/0.tar", "shards/1.tar", "photos", "mixed", "a.ZIP"])
    assert [(one.kind, len(one.places)) for one in named] == [("tar", 2), ("folder", 1), ("folder", 1), ("zip", 1)]
    assert [one.kind for one in named_sources(["shards", "mixed"], kind="zip")] == ["zip"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"places": ["x.tar.xz"]}, r"as a .tar or .tar.gz can; pack it as one of these"),
        ({"places": ["https://x.org/a.jpg"]}, "write them into a .csv or .txt"),
        ({"places": [""]}, "no folder is named"),
        ({"places": ["photos"], "kind": "floppy"}, "it is one of folder, tar, list, zip, video, remote"),
        ({"places": ["photos"], "column": "url"}, "--column is for a source of kind list"),
        ({"places": ["photos"], "private_hosts": ["nas"]}, "--private-host is for a source of kind list"),
        ({"places": ["photos"], "every": 3.0}, "--every is for a source of kind video"),
    ],
)
def test_what_cannot_be_is_said(here: Path, given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        named_sources(**given)  # type: ignore[arg-type]


def test_a_source_is_made_again_from_what_a_job_keeps(here: Path) -> None:
    settings = Settings(library=here / "library", cache=here / "cache")
    for places, options in (
        (["photos"], {}),
        (["shards/0.tar", "shards/1.tar"], {}),
        (["a.ZIP"], {}),
        (["list.csv"], {"column": "path", "private_hosts": ["nas", "127.0.0.1"]}),
        (["films"], {"kind": "video", "every": 3.0}),
    ):
        (named,) = named_sources(places, **options)  # type: ignore[arg-type]
        again = NamedSource.of(json.loads(json.dumps(named.arguments())))
        assert again == named
        assert again.open(again.tuned(settings)).root == named.open(settings).root
    with pytest.raises(SourceNotFound):
        NamedSource("tar", (str(here / "gone.tar"),)).open(settings)


def test_what_waits_for_other_machines_has_more_threads_and_its_hosts(here: Path) -> None:
    (named,) = named_sources(["list.csv"], private_hosts=["NAS", "127.0.0.1"])
    settings = Settings(private_hosts="disk")
    assert named.tuned(settings).limits.private_hosts == {"nas", "127.0.0.1", "disk"}
    assert named.tuned(settings).threads >= 16
    assert named.tuned(Settings(threads=3)).threads == 3
    assert named_sources(["photos"])[0].tuned(settings) == settings
