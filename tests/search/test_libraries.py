from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import InvalidSettings
from search.libraries import named_libraries


def test_folders_are_called_as_themselves_or_as_one_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert named_libraries([Path("photos"), Path("old scans=/b/photos")]) == {
        "photos": tmp_path / "photos",
        "old scans": Path("/b/photos"),
    }
    (tmp_path / "a=b").mkdir()
    assert named_libraries([Path("a=b")]) == {"a=b": tmp_path / "a=b"}


def test_without_any_it_is_that_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(tmp_path / "mine"))
    assert named_libraries(None) == {"mine": tmp_path / "mine"}
    assert list(named_libraries([Path("/")]).values()) == [Path("/")]


def test_two_of_one_name_and_names_that_are_none() -> None:
    with pytest.raises(InvalidSettings, match="two collections are called 'photos'; give names as NAME=FOLDER"):
        named_libraries([Path("/a/photos"), Path("/b/photos")])
    with pytest.raises(InvalidSettings, match="give one as NAME=FOLDER"):
        named_libraries([Path("/a/photos"), Path("/")])
