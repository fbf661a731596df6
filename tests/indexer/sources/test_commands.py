"""`sightline index` with sources of every kind, and its jobs, which make them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indexer.collection import Collection
from indexer.errors import InvalidRequest
from tests.checkpoints import make_checkpoint
from tests.indexer.sources.conftest import Site, jpeg, make_tar, make_zip
from tests.indexer.sources.test_video import make_video
from web.cli import app


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{make_checkpoint(tmp_path_factory.mktemp('model'))}"


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_many_sources_at_once_and_again_from_their_jobs(
    tmp_path: Path, model: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One report a source; a job that is taken up again makes its source from what it keeps."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(jpeg(0))
    make_tar(tmp_path / "0.tar", [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    make_tar(tmp_path / "1.tar", [("a.jpg", jpeg(3))])
    make_zip(tmp_path / "x.zip", [("a.jpg", jpeg(4))])
    make_video(tmp_path / "x.mp4", [("red", 4)])
    site.pages["/a.jpg"] = jpeg(5)
    (tmp_path / "list.csv").write_text(f"copy,url\n{site.url}/a.jpg,{site.url}/none.jpg\n")
    library = str(tmp_path / "library")
    places = ["photos", "0.tar", "1.tar", "x.zip", "x.mp4", "list.csv"]
    options = ["--column", "copy", "--private-host", "127.0.0.1", "--every", "2", "--library", library]
    reports = run("index", *places, *options, "--model", model)["sources"]
    assert [report["added"] for report in reports] == [1, 3, 1, 2, 1]
    with Collection.open(Path(library)) as collection:
        collection.catalog.remove(collection.catalog.ids().tolist())
        jobs = collection.catalog.jobs
        again = [jobs.add("index", job.arguments) for job in reversed(jobs.all()) if job.kind == "index"]
    for job, report in zip(again, reports, strict=True):
        assert run("jobs", "--library", library, "resume", str(job.id))["result"]["added"] == report["added"]


def test_what_is_wished_of_folders_is_refused_of_others(tmp_path: Path, model: str) -> None:
    archive = str(make_zip(tmp_path / "x.zip", [("a.jpg", jpeg(1))]))
    for wish in (["--include", "*.jpg"], ["--exclude", ""], ["--accept-removals"]):
        with pytest.raises(InvalidRequest, match=rf"^{wish[0]} is for folders, and '.*x.zip' is a zip$"):
            run("index", archive, *wish, "--library", str(tmp_path / "library"), "--model", model)
    assert not (tmp_path / "library").exists()


def test_each_source_has_its_report_and_all_are_looked_at_again(tmp_path: Path, model: str) -> None:
    """One that is away keeps its images; the folder that it lies in leaves what was indexed of it alone."""
    library = ("--library", str(tmp_path / "library"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(jpeg(0))
    archive = make_tar(tmp_path / "in/x.tar", [("b.jpg", jpeg(1)), ("c.jpg", jpeg(2))])
    report = run("index", str(archive), str(tmp_path / "in"), *library, "--model", model)
    expected = [(str(tmp_path / "in"), "folder", 1), (str(archive), "tar", 2)]
    assert [(one["path"], one["kind"], one["added"]) for one in report["sources"]] == expected
    archive.unlink()
    report = run("index", *library, code=1)
    assert (report["unchanged"], report["removed"], report["failed"]) == (1, 0, 1)
    found = [(one["path"], one["kind"], one["images"], one["state"]) for one in run("roots", *library)]
    assert found == [(str(tmp_path / "in"), "folder", 1, "online"), (str(archive), "tar", 2, "offline")]
    assert run("stats", *library)["roots"][1]["reason"] == "it is not there; its images stay"
    forget = ["roots", *library, "forget", str(archive), "--kind", "tar", "--yes"]
    assert "2 images taken out" in CliRunner().invoke(app, forget, catch_exceptions=False).output
    assert run("index", *library)["unchanged"] == 1


def test_what_failed_is_named_by_where_it_is(tmp_path: Path, model: str) -> None:
    make_zip(tmp_path / "x.zip", [("a.jpg", jpeg(1)), ("b/bad.jpg", b"no picture")])
    command = ["index", str(tmp_path / "x.zip"), "--library", str(tmp_path / "library"), "--model", model]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 1
    assert f"failed: {tmp_path}/x.zip!/b/bad.jpg: not a picture" in result.stderr


def test_a_hit_in_a_video_is_shown_with_its_time(tmp_path: Path, model: str) -> None:
    library = str(tmp_path / "library")
    video = make_video(tmp_path / "dive.mp4", [("red", 14)])
    run("index", video, "--library", library, "--model", model)
    command = ["search", "red", "--library", library]
    shown = CliRunner().invoke(app, command, catch_exceptions=False).stdout
    assert {line.split("  ")[-1] for line in shown.splitlines()} == {f"{video} at 0:00", f"{video} at 0:10"}
    assert {hit["seconds"] for hit in run(*command)} == {0.0, 10.0}
    paths = CliRunner().invoke(app, [*command, "--paths"], catch_exceptions=False).stdout
    assert f"{video}#t=000010.000\n" in paths
