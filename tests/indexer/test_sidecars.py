"""Captions in a file beside each picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.sidecars import captions_beside


@pytest.mark.parametrize(
    ("name", "text", "captions"),
    [
        ("a.json", json.dumps({"captions": ["a dog", " ", 3, "an animal"]}), ("a dog", "an animal")),
        ("a.jpg.json", json.dumps({"caption": "a dog"}), ("a dog",)),
        ("a.txt", "\ufeffa dog\n\nan animal\n", ("a dog", "an animal")),
        ("a.jpg.txt", "a dog", ("a dog",)),
        ("a.json", json.dumps({"camera": "not a caption"}), ()),
        ("a.json", json.dumps(["a dog"]), ()),
        ("b.txt", "of another picture", ()),
    ],
)
def test_what_each_form_says(tmp_path: Path, name: str, text: str, captions: tuple[str, ...]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    damaged: list[Path] = []
    assert captions_beside(str(tmp_path / "a.jpg"), damaged.append) == captions
    assert not damaged


def test_the_first_that_has_any_is_taken_and_damaged_ones_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "a.jpg.json").write_text("{}")
    (tmp_path / "a.txt").write_text("a dog")
    (tmp_path / "a.jpg.txt").write_text("a cat")
    damaged: list[Path] = []
    assert captions_beside(str(tmp_path / "a.jpg"), damaged.append) == ("a dog",)
    assert damaged == [tmp_path / "a.json"]
