"""Duplicates from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from indexer.catalog import Catalog
from indexer.errors import ImageNotFound, InvalidSettings
from web.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(library: Path) -> Run:
    def invoke(command: str = "", code: int = 0) -> Result:
        line = ["duplicates", "--library", str(library), *command.split()]
        result = CliRunner().invoke(app, line, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return invoke


def _names(output: str, end: str = "\n") -> set[str]:
    return {Path(line).name for line in output.split(end) if line}


def test_groups_are_listed_and_the_job_is_written_down_once(run: Run, library: Path) -> None:
    listed = run().stdout
    assert ": crop, " in listed
    assert "  keep" in listed
    assert "2 groups; beside those to keep 6 images" in listed
    assert run().stdout == listed
    with Catalog.open(library) as catalog:
        [job] = [job for job in catalog.jobs.all() if job.kind == "deduplicate"]
        assert (job.state, job.done) == ("done", 13)
        assert job.result is not None
        assert job.result["failed"] == 0


def test_only_the_same_picture_is_named_for_removal_unless_more_is_asked_for(run: Run) -> None:
    same = {"0.jpg", "0-webp.webp", "0-small.jpg", "0-copy.jpg", "0-bright.jpg"}
    named = _names(run("--paths").stdout)
    assert len(named) == 4
    assert named < same
    assert _names(run("--print0 --class burst").stdout, "\0") > named
    assert len(_names(run("--paths --class identical").stdout)) == 1


def test_decisions(run: Run) -> None:
    images = {
        Path(image["path"]).name: image for group in json.loads(run("--json").stdout) for image in group["images"]
    }
    small, webp = images["0-small.jpg"]["id"], images["0-webp.webp"]["id"]
    assert run(f"keep {small} {webp}").stdout == "2 images are kept\n"
    assert not {"0-small.jpg", "0-webp.webp"} & _names(run("--paths").stdout)
    run(f"keep {small} {webp} --undo")
    first, second = (images[f"frame-{second}.jpg"]["id"] for second in range(2))
    assert run(f"apart {first} {second}").stdout == "2 images are apart\n"
    assert "frame" not in run("--last").stdout
    run(f"apart {first} {second} --undo")
    assert "frame" in run("--last").stdout


def test_what_cannot_be(run: Run) -> None:
    with pytest.raises(InvalidSettings, match="identical, same, crop, burst or look-alike"):
        run("--class twins")
    with pytest.raises(ImageNotFound):
        run("keep 999")


def test_before_the_first_run_there_is_nothing_to_list(run: Run) -> None:
    assert run("--last").stdout.startswith("0 groups")
