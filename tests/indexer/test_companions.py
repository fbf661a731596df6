from __future__ import annotations

from pathlib import Path

import pytest

from indexer.companions import companions_of


@pytest.mark.parametrize(
    ("picture", "beside", "companions"),
    [
        ("IMG_1.JPG", ["IMG_1.CR2", "IMG_2.CR2", "IMG_1.xmp"], ["IMG_1.CR2"]),
        ("IMG_1.HEIC", ["IMG_1.MOV", "IMG_1.JPG"], ["IMG_1.MOV"]),
        ("a.b.jpg", ["a.b.dng", "a.dng", "a.b.mp4"], ["a.b.dng", "a.b.mp4"]),
        ("alone.jpg", [], []),
    ],
)
def test_what_belongs_to_a_picture(tmp_path: Path, picture: str, beside: list[str], companions: list[str]) -> None:
    for name in (picture, *beside):
        (tmp_path / name).touch()
    (tmp_path / "alone.mov").mkdir()
    assert companions_of(str(tmp_path / picture)) == [str(tmp_path / name) for name in companions]


def test_a_disk_that_is_away(tmp_path: Path) -> None:
    assert companions_of(str(tmp_path / "away" / "a.jpg")) == []
    assert companions_of("/a\0b.jpg") == []
