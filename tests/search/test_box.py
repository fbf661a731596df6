"""The one box and its rules."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import InvalidQuery
from search.box import Box, read_box
from search.filters import (
    And,
    Camera,
    Color,
    Filter,
    Folder,
    Format,
    Not,
    Or,
    Orientation,
    PathPart,
    Phrase,
    Range,
    Rating,
    Taken,
)
from search.query import UNWANTED, TextTerm

NOW = datetime(2024, 5, 15)  # noqa: DTZ001 - cameras have no zone


def _read(text: str) -> Box:
    return read_box(text, NOW)


def _year(first: int, last: int | None = None) -> Filter:
    return Taken(datetime(first, 1, 1), datetime((last or first) + 1, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "meaning", "filter"),
    [
        ("a dog on a beach", "a dog on a beach", None),
        ("a beach in 2023", "a beach", _year(2023)),
        ("cats from 2019 to 2021", "cats", _year(2019, 2021)),
        ("2019-2021 cats", "cats", _year(2019, 2021)),
        ("taken:2019..2021", "", _year(2019, 2021)),
        ("trees before 2015", "trees", Taken(end=datetime(2015, 1, 1))),  # noqa: DTZ001
        ("trees after 2015", "trees", Taken(start=datetime(2016, 1, 1))),  # noqa: DTZ001
        ("trees since 2015", "trees", Taken(start=datetime(2015, 1, 1))),  # noqa: DTZ001
        ("trees until 2015", "trees", Taken(end=datetime(2016, 1, 1))),  # noqa: DTZ001
        ("last March", "", Taken(datetime(2024, 3, 1), datetime(2024, 4, 1))),  # noqa: DTZ001
        ("dogs jpg photos", "dogs", Format(("jpeg",))),
        ("type:png,heic", "", Format(("png", "heif"))),
        ("a lake in portrait orientation", "a lake", Orientation("portrait")),
        ("vertical photos of trees", "of trees", Orientation("portrait")),
        ("orientation:square", "", Orientation("square")),
        ("over 2 MB", "", Range("bytes", 2e6)),
        ("at most 12 megapixels", "", Range("megapixels", None, 12)),
        ("size:1mb..5mb", "", Range("bytes", 1e6, 5e6)),
        ("width:>=1920 height:1080", "", And((Range("width", 1920), Range("height", 1080, 1080)))),
        ('camera:"EOS 5D" bird', "bird", Camera("EOS 5D")),
        ('camera:"a 14"" lens" bird', "bird", Camera('a 14" lens')),
        ("color:red car", "car", Color(("red",))),
        (
            "colour:gray,Blue>=30% -color:monochrome",
            "",
            And((Color(("grey", "blue"), 0.3), Not(Color(("monochrome",))))),
        ),
        ("red car", "red car", None),  # a colour by itself is meaning
        ("rating:4", "", Rating(4, 4)),
        ("rating:5", "", Rating(5, 5)),
        ("rating:>=3 dogs", "dogs", Rating(3)),
        ("rating:>3", "", Rating(4)),
        ("rating:<2", "", Rating(None, 1)),
        ("rating:3..5", "", Rating(3, 5)),
        ("folder:/photos/2019", "", Folder("/photos/2019")),
        ("folder:s3://photos/2019", "", Folder("s3://photos/2019")),
        ("path:holiday beach", "beach", PathPart("holiday")),
        ('"IMG 20" dog', "dog", Phrase("IMG 20")),
        ('"100 %" OR "%_"', "", Or((Phrase("100 %"), PathPart("%_")))),
        ("camera:canon OR camera:nikon 2023", "", And((Or((Camera("canon"), Camera("nikon"))), _year(2023)))),
        ("-camera:canon", "", Not(Camera("canon"))),
        ("NOT 2023 dogs", "dogs", Not(_year(2023))),
    ],
)
def test_what_is_recognised(text: str, meaning: str, filter: Filter | None) -> None:
    box = _read(text)
    assert (box.meaning, box.filter) == (meaning, filter)


@pytest.mark.parametrize(
    "text",
    [
        "a portrait of a woman",
        "cats OR dogs",
        "well-known",
        "red - blue",
        "tag: holiday",
        "route 66",
        "2000 px",
        "x2023y",
    ],
)
def test_what_only_looks_like_it_is_meaning(text: str) -> None:
    assert (_read(text).meaning, _read(text).chips) == (text, ())


def test_what_is_not_to_be_seen_is_a_term_of_its_own() -> None:
    box = _read("dog -grass -(red ball)")
    assert box.terms() == (TextTerm("dog"), TextTerm("grass", UNWANTED), TextTerm("red ball", UNWANTED))
    assert [chip.kind for chip in box.chips] == ["not", "not"]


def test_chips_know_their_place_and_the_text_without_them() -> None:
    box = _read("beach summer 2023 -people type:png")
    assert [box.source[chip.start : chip.end] for chip in box.chips] == ["summer 2023", "-people", "type:png"]
    assert [chip.text for chip in box.chips] == ["summer 2023", "-people", "type:png"]
    assert [box.without(chip) for chip in box.chips] == [
        "beach -people type:png", "beach summer 2023 type:png", "beach summer 2023 -people",
    ]  # fmt: skip


def test_a_chip_goes_with_the_or_that_joined_it() -> None:
    box = _read("2019 OR 2020 OR 2021")
    without = [box.without(chip) for chip in box.chips]
    assert without == ["2020 OR 2021", "2019 OR 2021", "2019 OR 2020"]
    assert _read("2019 OR dogs").meaning == "dogs"  # an OR beside a filter joins filters only


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("x" * 3000, "3,000 characters"),
        ("from 2021 to 2019", "swap the two"),
        ("2023-02-31", "there is no day 31"),
        ("type:docx", "no format is called 'docx'"),
        ("orientation:round", "no orientation"),
        ("width:large", "is no width"),
        ("size:5mb..1mb", "swap the two"),
        ("folder:photos", "absolute path"),
        ("date:soon", "is no date"),
        ("color:mauve", "no colour is called 'mauve'"),
        ("color:red>=0%", "share of a colour"),
        ("rating:good", "is no rating"),
        ("rating:>5", "0 to 5 stars"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidQuery, match=says):
        _read(text)


WORDS = [
    "dog",
    "OR",
    "-cat",
    "2023",
    '"a b"',
    "camera:x",
    "-",
    "(",
    "NOT",
    "-(",
    "over",
    "2",
    "MB",
    "May",
    ",",
    '"',
    ":",
]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_chips_and_meaning_share_the_text_out(words: list[str]) -> None:
    """Whatever is typed: chips stand in order and apart, and the meaning is what lies between them."""
    box = _read(" ".join(words))
    between, end = [], 0
    for chip in box.chips:
        assert chip.start >= end
        between += box.source[end : chip.start].split()
        end = chip.end
    between += box.source[end:].split()
    assert set(box.meaning.split()) <= {word.strip(" ,;.") for word in between} | set(between)
    assert {word for word in between if word == "dog"} <= set(box.meaning.split())
