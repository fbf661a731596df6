"""`sightline search` over several collections, as a person and a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from indexer.errors import InvalidQuery
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the libraries `one` and `two` of one model, each of two pictures, and `other` of another model, of one."""
    folder = tmp_path_factory.mktemp("several")
    same, other = make_checkpoint(folder / "model"), make_checkpoint(folder / "another", seed=1)
    for name, model, seeds in (("one", same, (0, 1)), ("two", same, (2, 3)), ("other", other, (4,))):
        for seed in seeds:
            write(folder / f"photos-{name}" / f"{name}-{seed}.jpg", photo(60, 40, seed=seed))
        arguments = ["index", str(folder / f"photos-{name}"), "--library", str(folder / name), "--model", str(model)]
        assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    return folder


def search(folder: Path, *arguments: str, code: int = 0) -> Result:
    libraries = [f"--library={folder / name}" for name in ("one", "two")]
    result = CliRunner().invoke(app, ["search", *libraries, *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_hits_say_where_they_are_from(folder: Path) -> None:
    found = json.loads(search(folder, "dog", "--json").stdout)
    assert (found["joined"], found["unanswered"]) == ("score", [])
    assert sorted(hit["collection"] for hit in found["hits"]) == ["one", "one", "two", "two"]
    assert [hit["score"] for hit in found["hits"]] == sorted((hit["score"] for hit in found["hits"]), reverse=True)
    lines = search(folder, "dog", "-k", "3").stdout.splitlines()
    assert [line.split()[2] for line in lines] == [hit["collection"] for hit in found["hits"][:3]]
    assert search(folder, "dog", "--paths").stdout.split() == [hit["path"] for hit in found["hits"]]


def test_a_picture_finds_itself_wherever_it_is(folder: Path) -> None:
    [hit] = json.loads(search(folder, "--image", str(folder / "photos-two" / "two-3.jpg"), "-k1", "--json").stdout)[
        "hits"
    ]
    assert (hit["collection"], Path(hit["path"]).name) == ("two", "two-3.jpg")


def test_different_models_take_turns_and_it_is_said(folder: Path) -> None:
    result = search(folder, "dog", "--library", f"else={folder / 'other'}")
    assert result.stdout.splitlines()[1].split()[2] == "else"
    assert "scores of different collections are not comparable" in result.stderr


def test_one_that_is_away_is_named(folder: Path) -> None:
    result = search(folder, "dog", "--library", str(folder / "nowhere"), code=1)
    assert len(result.stdout.splitlines()) == 4
    assert "failed: nowhere was left out: no collection in" in result.stderr


def test_what_is_of_one_collection_only(folder: Path) -> None:
    with pytest.raises(InvalidQuery, match="of one collection"):
        search(folder, "--id", "1")
