"""Captions in a file beside each picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.sidecars import captions_beside, described, pictures_of, sidecar_names
from tests.indexer.test_xmp import packet
from tests.pictures import encoded, plain


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


def test_what_is_beside_and_what_is_inside_together() -> None:
    picture = encoded(plain("red"), xmp=packet("<dc:subject><rdf:Bag><rdf:li>inside</rdf:li></rdf:Bag></dc:subject>"))
    beside = packet("<dc:subject><rdf:Bag><rdf:li>beside</rdf:li></rdf:Bag></dc:subject>", 'xmp:Rating="2"')
    damaged: list[tuple[str, str]] = []
    said = described(
        picture,
        {
            "/a.json": b"{",
            "/a.txt": b"a barn\nin red",
            "/a.jpg.txt": b"not taken",
            "/a.XMP": beside,
            "/a.jpg.xmp": b"<",
        },
        "mark",
        lambda name, reason: damaged.append((name, reason)),
    )
    assert [(text.kind, text.text) for text in said.texts] == [
        ("caption", "a barn"),
        ("caption", "in red"),
        ("keyword", "beside"),
        ("keyword", "inside"),
    ]
    assert (said.rating, said.sidecars) == (2, "mark")
    assert [name for name, _ in damaged] == ["/a.json", "/a.jpg.xmp"]
    assert all("cannot be understood" in reason and "\n" not in reason for _, reason in damaged)


def test_names_lead_both_ways() -> None:
    assert sidecar_names("a.b.jpg") == (
        "a.b.json", "a.b.jpg.json", "a.b.txt", "a.b.jpg.txt", "a.b.xmp", "a.b.jpg.xmp"
    )  # fmt: skip
    names = frozenset({"a.jpg", "a.png", "b.jpg"})
    assert pictures_of("a.XMP", names) == {"a.jpg", "a.png"}
    assert pictures_of("a.jpg.txt", names) == {"a.jpg"}
    assert pictures_of("a.md", names) == set()
