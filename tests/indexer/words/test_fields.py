from __future__ import annotations

import pytest

from indexer.texts import ImageText
from indexer.words.fields import APART, field_texts, folded, parts, place_of, taken_apart, words


@pytest.mark.parametrize(
    ("name", "apart"),
    [
        ("IMG_2034_beachTrip.jpg", "IMG 2034 beach Trip jpg"),
        ("DSC01234.JPG", "DSC 01234 JPG"),
        ("HTMLPage-2b.png", "HTML Page 2 b png"),
        ("caf\u00e9 \u00c9t\u00e9 2019", "caf\u00e9 \u00c9t\u00e9 2019"),
        ("...", ""),
    ],
)
def test_names_are_taken_apart(name: str, apart: str) -> None:
    assert taken_apart(name) == apart


def test_parts_know_their_place() -> None:
    [word] = words("_beachTrip9_")
    assert [(part.text, part.start, part.end) for part in parts(word)] == [
        ("beach", 1, 6),
        ("Trip", 6, 10),
        ("9", 10, 11),
    ]


@pytest.mark.parametrize(
    ("path", "folders", "name"),
    [
        ("/home/ada/a.jpg", ["home", "ada"], "a.jpg"),
        ("/d/x.zip!/q/b.jpg", ["d", "x.zip", "q"], "b.jpg"),
        ("/v/dive.mp4#t=000012.480", ["v"], "dive.mp4"),
        ("/d/l.csv!/https://example.com/big%20dog.jpg?x=1", ["d", "l.csv", "example.com"], "big dog.jpg"),
        ("s3://bucket/2024/b.jpg", ["bucket", "2024"], "b.jpg"),
    ],
)
def test_where_a_picture_lies(path: str, folders: list[str], name: str) -> None:
    assert place_of(path) == (folders, name)


def test_fields_hold_names_both_ways_and_keep_texts_apart() -> None:
    texts = (ImageText("caption", "A dog."), ImageText("caption", "A cat"), ImageText("keyword", "Animals|Dogs"))
    found = field_texts("/2019 Rome/beachTrip\udce9.jpg", texts)
    assert found == {
        "name": f"beach Trip jpg{APART}beachTrip",
        "folder": "2019 Rome",
        "title": "",
        "caption": f"A dog.{APART}A cat",
        "keyword": "Animals|Dogs",
    }


def test_folding_leaves_no_case_and_no_accents() -> None:
    assert folded("\u00c9T\u00c9") == folded("e\u0301te\u0301") == "ete"
