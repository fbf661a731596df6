"""Where images come from, as a script sees it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indexer.errors import InvalidRequest
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{make_checkpoint(tmp_path_factory.mktemp('model'))}"


@pytest.fixture
def library(tmp_path: Path, model: str) -> Path:
    """Of two folders, `one` with three pictures and `two` with one."""
    for number, name in enumerate(("one/a.jpg", "one/b.png", "one/sub/c.jpg", "two/d.jpg")):
        write(tmp_path / name, photo(60, 40, seed=number))
    for name in ("one", "two"):
        run("index", str(tmp_path / name), "--model", model, library=tmp_path / "library")
    return tmp_path / "library"


def run(*command: str, library: Path, code: int = 0, **options: Any) -> str:
    result = CliRunner().invoke(app, [*command, "--library", str(library)], catch_exceptions=False, **options)
    assert result.exit_code == code, result.output
    return result.stdout


def test_all_folders_are_synced_again_and_one_that_is_away_is_said(library: Path, tmp_path: Path) -> None:
    shutil.move(tmp_path / "two", tmp_path / "away")
    (tmp_path / "one/a.jpg").unlink()
    report = json.loads(run("index", "--json", library=library, code=1))
    assert (report["removed"], report["unchanged"], report["failed"]) == (1, 2, 1)
    assert [(root["path"], root["state"]) for root in report["sources"]] == [
        (str(tmp_path / "one"), "online"),
        (str(tmp_path / "two"), "offline"),
    ]
    listed = json.loads(run("roots", "--json", library=library))
    assert [(root["images"], root["state"]) for root in listed] == [(2, "online"), (1, "offline")]
    assert "offline" in run("roots", library=library)
    assert f"offline: {tmp_path / 'two'}" in " ".join(run("stats", library=library).split())
    assert run("index", str(tmp_path / "two"), library=library, code=1)
    stats = json.loads(run("stats", "--json", library=library))
    assert [root["state"] for root in stats["roots"]] == ["online", "offline"]


def test_patterns_are_kept_and_listed(library: Path, tmp_path: Path) -> None:
    command = ("index", str(tmp_path / "one"), "--exclude", "*.png", "--exclude", "sub/")
    assert "2 excluded" in run(*command, library=library)
    assert "-*.png -sub/" in run("roots", library=library)
    assert "2 unchanged" in run("index", library=library)


def test_a_folder_is_forgotten_after_asking(library: Path, tmp_path: Path) -> None:
    def forget(name: str, *options: str, code: int = 0, answer: str | None = None) -> str:
        command = ["roots", "--library", str(library), "forget", str(tmp_path / name), *options]
        result = CliRunner().invoke(app, command, catch_exceptions=False, input=answer)
        assert result.exit_code == code, result.output
        return result.output

    assert "3 images will be taken out" in forget("one", answer="n\n", code=1)
    assert "3 images taken out" in forget("one", answer="y\n")
    assert "1 images stay" in forget("two", "--keep-images")
    assert json.loads(run("stats", "--json", library=library))["images"] == 1
    assert (tmp_path / "one/a.jpg").exists()
    with pytest.raises(InvalidRequest, match="is no root of this collection"):
        forget("two")


def test_a_folder_that_never_was_is_an_error_also_within_a_root(library: Path, tmp_path: Path) -> None:
    from indexer.errors import SourceNotFound

    for name in ("nowhere", "one/nowhere"):
        with pytest.raises(SourceNotFound):
            run("index", str(tmp_path / name), library=library)
    assert json.loads(run("stats", "--json", library=library))["images"] == 4


def test_a_watch_in_a_process_of_its_own_ends_with_its_signal(library: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "web.cli", "watch", "--library", str(library)]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(command, stderr=said, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 100
        write(tmp_path / "one/new.jpg", photo(60, 40, seed=9))
        while "1 added" not in (text := (tmp_path / "said").read_text()):
            assert process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert f"watching {tmp_path / 'one'}" in text
