"""Tags and concepts as a person uses them, over a real checkpoint of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.errors import InvalidRequest, SightlineError
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tags")
    for seed in range(3):
        write(folder / "photos" / f"{seed}.jpg", photo(80, 60, seed=seed))
    checkpoint = make_checkpoint(folder / "model")
    _run("index", str(folder / "photos"), "--model", f"local-dir:{checkpoint}", library=folder / "library")
    return folder / "library"


def _run(*arguments: str, library: Path) -> str:
    result = CliRunner().invoke(app, [*arguments, "--library", str(library)])
    if isinstance(result.exception, SightlineError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_list_is_set_shown_searched_and_forgotten(library: Path, tmp_path: Path) -> None:
    (tmp_path / "Mine.txt").write_text("thing: object | 0.000001\nother | 0.999999\n")
    said = _run("tags", "set", str(tmp_path / "Mine.txt"), library=library)
    assert "of 2 labels for 3 images" in said
    assert "list mine: 2 labels" in _run("tags", "list", library=library)
    assert _run("tags", "labels", "mine", library=library) == "thing: object | 1e-06\nother | 0.999999\n"
    _run("tag", "add", "Holiday", "1", str(library.parent / "photos" / "1.jpg"), library=library)
    tags = json.loads(_run("tags", "show", "1", "--json", library=library))
    assert tags[0] == {"name": "holiday", "list": None, "score": None}
    found = json.loads(_run("search", "--tag", "holiday", "--json", library=library))
    assert sorted(hit["id"] for hit in found) == [1, 2]
    hidden = json.loads(_run("search", "photo", "--hide", "holiday", "--json", library=library))
    assert [hit["id"] for hit in hidden] == [3]
    assert "tag: " in _run("search", "photo", "--facets", library=library)
    _run("tags", "remove", "mine", library=library)
    assert "mine" not in _run("tags", "list", library=library)
    for arguments in (("tags", "set", str(tmp_path / "nowhere")), ("tags", "show", "no-such-file")):
        with pytest.raises(InvalidRequest):
            _run(*arguments, library=library)


def test_a_concept_is_saved_listed_and_forgotten(library: Path) -> None:
    assert "images have it" in _run("concepts", "save", "Sea", "water", "--right", "1", "--wrong", "2", library=library)
    assert _run("concepts", "list", library=library) == "sea: water (1 right, 1 wrong)\n"
    marked = json.loads(_run("search", "water", "--right", "1", "--wrong", "2", "--json", library=library))
    assert 2 not in [hit["id"] for hit in marked]
    _run("concepts", "rename", "sea", "The Sea", library=library)
    assert _run("concepts", "list", library=library) == "the sea: water (1 right, 1 wrong)\n"
    _run("concepts", "remove", "the sea", library=library)
    assert _run("concepts", "list", library=library) == ""
