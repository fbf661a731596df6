"""`doctor`, `backup` and `restore` as a script sees them, with a real model."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


def run(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def library(tmp_path: Path) -> Path:
    model = make_checkpoint(tmp_path / "model")
    for number in range(3):
        write(tmp_path / "photos" / f"{number}.jpg", photo(60, 40, seed=number))
    run("index", tmp_path / "photos", "--library", tmp_path / "library", "--model", f"local-dir:{model}")
    return tmp_path / "library"


def test_a_healthy_collection_is_said_to_be_healthy(library: Path) -> None:
    words = run("doctor", "--library", library).stdout
    assert "broken" not in words
    assert "3 pictures encoded again: cosine 1.0000" in words
    report = json.loads(run("doctor", "--library", library, "--json", "--quick").stdout)
    assert report["broken"] is False
    assert {finding["severity"] for finding in report["findings"]} == {"ok"}


def test_what_is_broken_has_an_exit_code_and_a_command_and_is_mended(library: Path) -> None:
    with sqlite3.connect(library / "catalog.db") as connection:
        connection.execute("DELETE FROM embedding_1 WHERE image_id = 2")
    connection.close()
    words = run("doctor", "--library", library, code=1).stdout
    assert "broken   pairs" in words
    assert f"-> `sightline doctor --fix --library {library}`" in words
    report = json.loads(run("doctor", "--library", library, "--fix", "--json").stdout)
    assert (report["broken"], len(report["fixed"])) == (False, 1)
    assert run("doctor", "--library", library).stdout.count("ok ") > 10


def test_a_model_that_changed_in_its_place_is_broken(library: Path, tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "model", seed=1)
    words = run("doctor", "--library", library, code=1).stdout
    assert "is not the model that made the collection" in words


def test_a_backup_is_restored_and_searched(library: Path, tmp_path: Path) -> None:
    said = run("backup", tmp_path / "a.tar", "--library", library).stdout
    assert "3 images" in said
    assert str(tmp_path / "a.tar") in said
    assert "3 images of model local-dir:" in run("restore", tmp_path / "a.tar", tmp_path / "again").stdout
    search = ["search", "--image", tmp_path / "photos" / "1.jpg", "--paths", "-k", "3"]
    assert run(*search, "--library", tmp_path / "again").stdout == run(*search, "--library", library).stdout
    report = json.loads(run("backup", tmp_path / "b", "--library", library, "--json").stdout)
    assert report["images"] == 3
    assert json.loads(run("restore", tmp_path / "b", tmp_path / "more", "--json").stdout)["images"] == 3
