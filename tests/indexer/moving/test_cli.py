"""`export` and `import` as a script sees them, with a real model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from indexer.errors import EmbeddingsDisagree, InvalidSettings
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


def run(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def library(tmp_path: Path) -> Path:
    make_checkpoint(tmp_path / "model")
    for number in range(4):
        write(tmp_path / "photos" / f"{number}.jpg", photo(60, 40, seed=number))
    model = f"local-dir:{tmp_path / 'model'}"
    run("index", tmp_path / "photos", "--library", tmp_path / "library", "--model", model)
    return tmp_path / "library"


@pytest.mark.parametrize("format", ["npy", "parquet"])
def test_there_and_back_again_search_gives_the_same(library: Path, tmp_path: Path, format: str) -> None:
    assert "4 images" in run("export", tmp_path / "out", "--format", format, "--library", library).stdout
    model = f"local-dir:{tmp_path / 'model'}"
    arguments = ["import", tmp_path / "out", "--from", format, "--model", model, "--library", tmp_path / "again"]
    words = run(*arguments).stdout
    assert "4 encoded again: cosine 1.0000 (median)" in words
    assert "4 added, 0 changed, 0 unchanged, 0 failed" in words
    for query in (["the red dog"], ["--image", str(tmp_path / "photos" / "2.jpg")]):
        results = [
            run("search", *query, "--json", "--library", place).stdout for place in (library, tmp_path / "again")
        ]
        hits = [[(hit["path"], hit["score"]) for hit in json.loads(result)] for result in results]
        assert hits[0] == hits[1]
        assert len(hits[0]) == 4
    report = json.loads(run("index", tmp_path / "photos", "--library", tmp_path / "again", "--json").stdout)
    assert (report["unchanged"], report["added"]) == (4, 0)


def test_what_could_not_be_taken_over_has_an_exit_code(library: Path, tmp_path: Path) -> None:
    run("export", tmp_path / "out", "--library", library, "--json")
    (tmp_path / "photos" / "1.jpg").unlink()
    model = f"local-dir:{tmp_path / 'model'}"
    arguments = ["import", tmp_path / "out", "--from", "npy", "--model", model, "--library", tmp_path / "again"]
    result = run(*arguments, code=1)
    assert f"failed: {tmp_path / 'photos' / '1.jpg'}: " in result.stderr
    assert json.loads(run(*arguments, "--json", code=1).stdout)["unchanged"] == 3


def test_wrong_weights_and_unknown_formats_are_refused(library: Path, tmp_path: Path) -> None:
    run("export", tmp_path / "out", "--library", library)
    np.save(tmp_path / "out" / "vectors.npy", np.roll(np.load(tmp_path / "out" / "vectors.npy"), 5, axis=1))
    model = f"local-dir:{tmp_path / 'model'}"
    with pytest.raises(EmbeddingsDisagree):
        run("import", tmp_path / "out", "--from", "npy", "--model", model, "--library", tmp_path / "again")
    with pytest.raises(InvalidSettings, match="npy or parquet or faiss"):
        run("export", tmp_path / "more", "--format", "csv", "--library", library)
