from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from data import photos
from data.photos import PHOTOS, collect, locate


def test_every_photo_is_in_its_wheel_and_is_a_picture(tmp_path: Path) -> None:
    found, missing = collect(tmp_path)
    assert (found, missing) == (len(PHOTOS), ())
    for photo in PHOTOS:
        with Image.open(tmp_path / photo.name) as image:
            image.load()
            assert min(image.size) >= 100


def test_the_originals_stay_where_they_are(tmp_path: Path) -> None:
    collect(tmp_path)
    assert all((tmp_path / photo.name).is_symlink() for photo in PHOTOS)


def test_names_are_unique_and_say_something() -> None:
    assert len({photo.name for photo in PHOTOS}) == len(PHOTOS)
    assert all(photo.caption and Path(photo.name).suffix == Path(photo.file).suffix for photo in PHOTOS)


def test_a_package_that_is_not_installed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(PHOTOS[0], package="no_such_package_here")
    gone = replace(PHOTOS[1], file="data/no such file.png")
    monkeypatch.setattr(photos, "PHOTOS", (absent, gone, PHOTOS[2]))
    assert collect(tmp_path) == (1, (absent, gone))


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    collect(tmp_path)
    before = {path.name: path.lstat().st_mtime_ns for path in tmp_path.iterdir()}
    collect(tmp_path)
    assert {path.name: path.lstat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_link_that_points_elsewhere_is_mended(tmp_path: Path) -> None:
    link = tmp_path / PHOTOS[0].name
    link.symlink_to(tmp_path / "an old environment" / "astronaut.png")
    collect(tmp_path)
    assert link.readlink() == locate(PHOTOS[0])


def test_where_links_cannot_be_made_the_photo_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("links are not possible here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    collect(tmp_path)
    copy, original = tmp_path / PHOTOS[0].name, locate(PHOTOS[0])
    assert original is not None
    assert not copy.is_symlink()
    assert copy.read_bytes() == original.read_bytes()
    before = copy.stat().st_mtime_ns
    collect(tmp_path)
    assert copy.stat().st_mtime_ns == before
