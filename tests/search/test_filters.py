"""Filters as values, as JSON, and as questions to a real catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from indexer.catalog import Catalog
from indexer.errors import InvalidQuery
from indexer.looks.colours import packed
from indexer.texts import Description
from search.box import read_box
from search.facets import Count, Counts, facets_of
from search.filter_json import filter_from_json, filter_to_json
from search.filter_sql import clause
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
    check_size,
)
from search.selections import Selections
from search.timeline import timeline_of
from tests.indexer.samples import MANIFEST, an_image, unit_rows
from tests.pictures import plain, quadrants


def _day(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day)  # noqa: DTZ001 - cameras have no zone


LOOKS = [
    packed(np.asarray(picture)) for picture in (quadrants(), plain("red"), plain((139, 69, 19)), plain("white"))
] + [None]
IMAGES = [
    an_image("/photos/2023/Beach.jpg", taken_at=_day(2023, 7, 1), camera="Canon EOS 5D", width=4000, height=3000),
    an_image("/photos/2023/tower.png", taken_at=_day(2023, 12, 31), camera="NIKON D90", format="png", height=999),
    an_image("/photos/2023b/100%_off.jpg", taken_at=_day(2024), camera="Acme 100%", size=5_000_000),
    an_image("/photos/caf\u00e9/odd\udce9.png", format="png", width=500, height=500),
    an_image("/other/beach_2.webp", format="webp", camera="Canon PowerShot", taken_at=_day(2019, 2, 3)),
]
IMAGES = [replace(known, colours=colours) for known, colours in zip(IMAGES, LOOKS, strict=True)]  # fmt: skip


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.create(tmp_path_factory.mktemp("library"), MANIFEST) as catalog:
        said = [Description(rating=stars) for stars in (3, 5, None, 0, 4)]
        assert catalog.put(IMAGES, unit_rows(len(IMAGES)), said) == [1, 2, 3, 4, 5]
        yield catalog


CASES: list[tuple[Filter, list[int]]] = [
    (Taken(_day(2023), _day(2024)), [1, 2]),
    (Taken(start=_day(2024)), [3]),
    (Taken(end=_day(2023)), [5]),
    (Taken(start=_day(2020)), [1, 2, 3]),
    (Not(Taken(start=_day(2020))), [4, 5]),  # what has no date is not from then on
    (Range("width", 4000), [1]),
    (Range("height", 900, 2000), [2]),
    (Range("megapixels", 0.25, 0.25), [4]),
    (Range("bytes", 5e6), [3]),
    (Format(("png", "webp")), [2, 4, 5]),
    (Orientation("landscape"), [1, 3, 5]),
    (Orientation("portrait"), [2]),
    (Orientation("square"), [4]),
    (Camera("canon"), [1, 5]),
    (Camera("100%"), [3]),
    (Not(Camera("canon")), [2, 3, 4]),  # what has no camera has not that one
    (Color(("red",)), [1, 2]),
    (Color(("red",), 0.3), [2]),
    (Color(("red",), 1.0), [2]),
    (Color(("white", "blue")), [1, 4]),
    (Color(("monochrome",)), [4]),
    (Not(Color(("red",))), [3, 4, 5]),  # what nobody looked at has not that one
    (Rating(4), [2, 5]),
    (Rating(3, 4), [1, 5]),
    (Rating(most=3), [1, 4]),
    (Rating(0, 0), [4]),
    (Folder("/photos/2023"), [1, 2]),
    (Folder("/photos/"), [1, 2, 3, 4]),
    (Folder("/"), [1, 2, 3, 4, 5]),
    (PathPart("BEACH"), [1, 5]),
    (PathPart("100%_"), [3]),
    (PathPart("caf\u00e9"), [4]),
    (Phrase("beach"), [1, 5]),
    (Phrase("BEACH 2"), [5]),
    (Phrase("photos 2023"), []),  # a phrase ends where a name does
    (And((Format(("jpeg",)), Camera("canon"))), [1]),
    (Or((Folder("/other"), Orientation("square"))), [4, 5]),
    (And((Format(("png",)), Format(("jpeg",)))), []),  # contradictory: nothing passes
]


@pytest.mark.parametrize(("filter", "ids"), CASES)
def test_what_passes(catalog: Catalog, filter: Filter, ids: list[int]) -> None:
    assert catalog.ids_where(clause(filter)).tolist() == ids


@pytest.mark.parametrize(("filter", "ids"), CASES)
def test_not_passes_exactly_the_others_and_json_says_the_same(catalog: Catalog, filter: Filter, ids: list[int]) -> None:
    assert catalog.ids_where(clause(Not(filter))).tolist() == [id_ for id_ in range(1, 6) if id_ not in ids]
    assert filter_from_json(json.loads(json.dumps(filter_to_json(filter)))) == filter


def test_keys_beside_each_other_mean_all_of_them() -> None:
    assert filter_from_json({"format": ["png"], "camera": "x"}) == And((Format(("png",)), Camera("x")))


def test_the_last_day_counts_and_so_does_the_last_second() -> None:
    assert filter_from_json({"taken": {"from": "2023-01-01", "to": "2023-12-31"}}) == Taken(_day(2023), _day(2024))
    moment = filter_from_json({"taken": {"to": "2023-12-31T23:59:59"}})
    assert moment == Taken(end=_day(2024))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "a filter is an object"),
        ([], "a filter is an object"),
        ({"colour": ["red"]}, "knows nothing called 'colour'"),
        ({"and": []}, "takes a list"),
        ({"or": {"format": ["png"]}}, "takes a list"),
        ({"not": "png"}, "a filter is an object"),
        ({"format": "png"}, "takes a list"),
        ({"format": ["docx"]}, "no format is called 'docx'"),
        ({"format": []}, "no format"),
        ({"orientation": "round"}, "no orientation"),
        ({"width": 5}, "takes an object with from or to"),
        ({"width": {"from": "5"}}, "takes an object with from or to"),
        ({"width": {"from": True}}, "takes an object with from or to"),
        ({"width": {"from": -1}}, "0 or more"),
        ({"width": {"from": float("nan")}}, "0 or more"),
        ({"width": {"from": 10, "to": 5}}, "swap the two"),
        ({"taken": {"from": "2023-02-30"}}, "is no date"),
        ({"taken": {"from": "2023-07-01T00:00:00Z"}}, "time zone"),
        ({"taken": {"from": "2024-01-01", "to": "2023-01-01"}}, "swap the two"),
        ({"taken": {"to": "9999-12-31"}}, "end of time"),
        ({"taken": {"to": "2023-01-01", "before": "2023-01-01"}}, "not both"),
        ({"camera": " "}, "1 to 500 characters"),
        ({"path": "a\0"}, "1 to 500 characters"),
        ({"phrase": "%_!"}, "has no words"),
        ({"path": "\ud800"}, "half a character"),
        ({"folder": "\ud800"}, "absolute path|half a character"),
        ({"folder": "photos"}, "absolute path"),
        ({"color": "red"}, "takes a list"),
        ({"color": ["mauve"]}, "no colour is called 'mauve'"),
        ({"color": []}, "no colour"),
        ({"color": {"of": ["red"]}}, "takes a list"),
        ({"color": {"of": ["red"], "from": 0}}, "share of a colour"),
        ({"color": {"of": ["red"], "from": True}}, "takes a list"),
        ({"rating": 3}, "takes an object with from or to"),
        ({"rating": {"from": 6}}, "0 to 5 stars"),
        ({"rating": {"from": 3.5}}, "takes an object with from or to"),
        ({"rating": {"from": 4, "to": 2}}, "swap the two"),
        ({"or": [{"camera": str(number)} for number in range(300)]}, "over the limit"),
    ],
)
def test_what_is_no_filter_is_refused(value: Any, says: str) -> None:
    with pytest.raises(InvalidQuery, match=says):
        filter_from_json(value)


def test_a_filter_that_is_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {"camera": "x"}
    value: Filter = Camera("x")
    for _ in range(100):
        deep, value = {"not": deep}, Not(value)
    for ask in (lambda: filter_from_json(deep), lambda: check_size(value)):
        with pytest.raises(InvalidQuery, match="levels"):
            ask()


_CONDITIONS = st.sampled_from([filter for filter, _ in CASES if not isinstance(filter, And | Or | Not)])
_FILTERS = st.recursive(
    _CONDITIONS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(filter=_FILTERS)
def test_any_tree_passes_what_its_parts_say(catalog: Catalog, filter: Filter) -> None:
    known = dict(CASES)

    def passing(part: Filter) -> set[int]:
        if part in known and not isinstance(part, And | Or | Not):
            return set(known[part])
        if isinstance(part, Not):
            return {1, 2, 3, 4, 5} - passing(part.part)
        assert isinstance(part, And | Or)
        sets = [passing(inner) for inner in part.parts]
        return set.intersection(*sets) if isinstance(part, And) else set.union(*sets)

    assert set(catalog.ids_where(clause(filter)).tolist()) == passing(filter)


def test_a_listing_has_its_order_and_what_has_no_date_comes_last(catalog: Catalog) -> None:
    selections = Selections(catalog)
    everything = Folder("/")
    assert selections.listed(everything, "newest").tolist() == [3, 2, 1, 5, 4]
    assert selections.listed(everything, "oldest").tolist() == [5, 1, 2, 3, 4]
    assert selections.listed(everything, "name").tolist() == [5, 1, 2, 3, 4]
    assert selections.listed(everything, "rating").tolist() == [2, 5, 1, 4, 3]
    assert selections.sorted(np.array([4, 5, 1]), "newest").tolist() == [1, 5, 4]
    assert selections.count(everything) == 5


def test_an_answer_is_kept_until_the_catalog_changes(tmp_path: Path) -> None:
    with Catalog.create(tmp_path, MANIFEST) as catalog:
        catalog.put(IMAGES[:2], unit_rows(2))
        selections = Selections(catalog, kept=2)
        first = selections.ids(Format(("png",)))
        assert selections.ids(Format(("png",))) is first
        with pytest.raises(ValueError, match="read-only"):
            first[0] = 7
        catalog.put(IMAGES[2:], unit_rows(3))
        assert selections.ids(Format(("png",))).tolist() == [2, 4]


def _values(counts: Counts) -> list[tuple[str, int]]:
    return [(count.value, count.images) for count in counts]


def test_facets_count_the_same_in_the_database_and_of_records(catalog: Catalog) -> None:
    facets = Selections(catalog).facets(Folder("/"))
    assert facets == facets_of(catalog.get_many(range(1, 6)).values(), catalog)
    assert facets.total == 5
    assert facets.format == (Count("jpeg", 2, "type:jpeg"), Count("png", 2, "type:png"), Count("webp", 1, "type:webp"))
    assert _values(facets.orientation) == [("landscape", 3), ("portrait", 1), ("square", 1)]
    assert _values(facets.year) == [("2024", 1), ("2023", 2), ("2019", 1)]
    assert _values(facets.rating) == [("5", 1), ("4", 1), ("3", 1), ("0", 1)]
    assert dict(_values(facets.color)).items() >= {"red": 2, "blue": 1, "white": 1, "monochrome": 1}.items()
    assert _values(facets.folder) == [("/photos", 4), ("/other", 1)]
    assert len(facets.camera) == 4
    assert Selections(catalog).facets(Camera("nobody")).total == 0


def test_months_count_the_same_and_say_where_they_begin_among_the_newest(catalog: Catalog) -> None:
    timeline = Selections(catalog).timeline(Folder("/"))
    assert timeline == timeline_of(catalog.get_many(range(1, 6)).values())
    assert [(month.month, month.images, month.box, month.offset) for month in timeline] == [
        ("2024-01", 1, "taken:2024-01", 0),
        ("2023-12", 1, "taken:2023-12", 1),
        ("2023-07", 1, "taken:2023-07", 2),
        ("2019-02", 1, "taken:2019-02", 3),
    ]
    newest = Selections(catalog).listed(Folder("/"), "newest")
    for month in timeline:
        [box_filter] = [read_box(str(month.box), _day(2024)).filter]
        assert box_filter is not None
        assert catalog.ids_where(clause(box_filter)).tolist() == [newest[month.offset]]


def test_what_a_facet_gives_to_the_box_passes_what_it_counted(catalog: Catalog) -> None:
    facets = Selections(catalog).facets(Folder("/"))
    for name in ("format", "orientation", "year", "camera", "color", "rating", "folder"):
        for count in getattr(facets, name):
            read = read_box(f"a dog {count.box}", _day(2024))
            assert read.meaning == "a dog"
            assert read.filter is not None
            assert len(catalog.ids_where(clause(read.filter))) == count.images, count


def test_postgresql_is_asked_in_its_own_words() -> None:
    said = str(clause(PathPart("x")).compile(dialect=postgresql.dialect()))
    assert "position(lower(encode(convert_to(" in said
    assert "encode(image.path, 'escape')" in said
    assert "image.camera ILIKE" in str(clause(Camera("x")).compile(dialect=postgresql.dialect()))


def test_texts_are_looked_into_last() -> None:
    """SQLite asks in the order given: 1.2 times as long the other way round."""
    filter = And((Or((Camera("a"), Camera("b"))), Not(PathPart("x")), Orientation("square")))
    said = str(clause(filter).compile(dialect=sqlite.dialect()))
    assert said.index("image.width") < said.index("image.camera") < said.index("image.path")
