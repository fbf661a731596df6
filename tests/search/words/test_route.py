"""Searches by both routes, on real SQLite and FAISS: pictures of plain colours, of some of which something is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.errors import InvalidQuery
from indexer.texts import Description, ImageText
from search.engine import Results, SearchEngine
from search.filters import Not, Phrase
from search.query import Feedback, IndexedTerm, Query, TextTerm
from search.several import JointEngine, Member
from tests.indexer.samples import an_image
from tests.palette import COLOURS, PaletteEncoder

NAMES = list(COLOURS)
SAID = {
    "white": ImageText("caption", "A red boat at the harbour"),
    "blue": ImageText("keyword", "harbour"),
    "green": ImageText("title", "Red boat, people waving"),
}


@pytest.fixture
def encoder() -> PaletteEncoder:
    return PaletteEncoder()


def _library(folder: Path, encoder: PaletteEncoder, names: list[str], prefix: str = "/photos") -> Collection:
    """A plain picture of each colour, called by a number: black is 1."""
    collection = Collection.open_or_create(folder, encoder.manifest)
    pictures = np.stack([np.full((16, 16, 3), COLOURS[name], np.uint8) for name in names])
    said = [Description((SAID[name],)) if name in SAID else Description() for name in names]
    images = [an_image(f"{prefix}/{NAMES.index(name)}.png") for name in names]
    collection.catalog.put(images, encoder.encode_images(pictures).astype(np.float16), said)
    return collection


@pytest.fixture
def collection(tmp_path: Path, encoder: PaletteEncoder) -> Iterator[Collection]:
    with _library(tmp_path / "library", encoder, NAMES) as collection:
        yield collection


@pytest.fixture
def engine(collection: Collection, encoder: PaletteEncoder) -> SearchEngine:
    return SearchEngine(collection, encoder)


def names(results: Results) -> list[str]:
    return [NAMES[hit.image.id - 1] for hit in results.hits]


def by_words(results: Results) -> list[str]:
    return [NAMES[hit.image.id - 1] for hit in results.hits if "words" in hit.routes]


def test_what_is_said_brings_an_image_forward_and_the_hit_says_so(engine: SearchEngine) -> None:
    results = engine.search(Query.of(text="a red boat"))
    assert set(names(results)[:3]) == {"red", "white", "green"}
    white = next(hit for hit in results.hits if hit.image.id == 2)
    [match] = white.words
    assert (match.field, match.text) == ("caption", "A red boat at the harbour")
    assert [match.text[start:end] for start, end in match.spans] == ["red", "boat"]
    assert white.routes == ("meaning", "words")
    assert next(hit for hit in results.hits if hit.image.id == 3).routes == ("meaning",)


@pytest.mark.parametrize("text", ["a red zebra", "photos", "a the on", "red"])
def test_where_no_image_has_enough_of_the_words_nothing_changes(
    collection: Collection, engine: SearchEngine, text: str
) -> None:
    if text == "red":
        collection.catalog.describe({id_: Description() for id_ in range(1, 11)})
    plain = engine.search(Query((TextTerm(text),), words=False))
    both = engine.search(Query.of(text=text))
    assert both.hits == plain.hits
    assert {hit.routes for hit in plain.hits} == {("meaning",)}


def test_one_word_of_two_is_not_enough(engine: SearchEngine) -> None:
    assert by_words(engine.search(Query.of(text="red harbour"))) == ["white"]


def test_an_image_that_has_what_is_unwanted_is_not_found_by_words(engine: SearchEngine) -> None:
    query = Query((TextTerm("red boat"), TextTerm("people", -0.5)))
    assert by_words(engine.search(query)) == ["white"]


def test_beside_a_picture_words_are_only_searched_if_asked_for(engine: SearchEngine) -> None:
    terms = (TextTerm("harbour"), IndexedTerm(3))
    assert by_words(engine.search(Query(terms))) == []
    assert set(by_words(engine.search(Query(terms, words=True)))) == {"white", "blue"}
    with pytest.raises(InvalidQuery, match="words of a text"):
        engine.search(Query((IndexedTerm(3),), words=True))
    with pytest.raises(InvalidQuery, match="not known"):
        Query((TextTerm("red"),), words=True, min_probability=0.5)


def test_filters_and_marks_hold_for_both_routes(engine: SearchEngine) -> None:
    query = Query((TextTerm("harbour"),), filter=Not(Phrase("red boat")), feedback=Feedback(wrong=(9,)))
    results = engine.search(query)
    assert by_words(results) == ["blue"]
    assert results.matched == 8
    assert not {"white", "green", "gray"} & set(names(results))


def test_a_phrase_alone_lists_what_has_it(engine: SearchEngine) -> None:
    results = engine.search(Query((), filter=Phrase("RED boat"), sort="name"))
    assert names(results) == ["white", "green"]
    assert [hit.routes for hit in results.hits] == [(), ()]


def test_pages_cursors_and_batches_give_the_same_hits(collection: Collection, engine: SearchEngine) -> None:
    query = Query.of(text="a red boat", k=10)
    whole = engine.search(query)
    first = engine.search(Query.of(text="a red boat", k=2))
    assert first.cursor is not None
    collection.catalog.describe({2: Description()})  # the search stays as it was answered first
    rest = engine.next_page(first.cursor, 8)
    assert [hit.image.id for hit in (*first.hits, *rest.hits)] == [hit.image.id for hit in whole.hits]
    collection.catalog.describe({2: Description((SAID["white"],))})
    [batched, _] = engine.search_many([query, Query.of(text="blue", k=3)])
    assert batched.hits == whole.hits


def test_sorted_by_name_the_best_of_both_routes_are_meant(engine: SearchEngine) -> None:
    results = engine.search(Query((TextTerm("red boat"),), sort="name", among=3))
    assert sorted(names(results)) == ["green", "red", "white"]
    assert set(by_words(results)) == {"white", "green"}


def test_tags_that_people_gave_are_words(collection: Collection, engine: SearchEngine) -> None:
    collection.catalog.tags.set_own([1], add=["our holiday"])
    results = engine.search(Query.of(text="our holiday"))
    assert by_words(results) == ["black"]
    [match] = next(hit.words for hit in results.hits if hit.words)
    assert (match.field, match.text) == ("tag", "our holiday")


def test_of_several_collections_words_count_in_each(tmp_path: Path, encoder: PaletteEncoder) -> None:
    with (
        _library(tmp_path / "one", encoder, ["white", "red"]) as one,
        _library(tmp_path / "two", encoder, ["orange", "black"], "/other") as two,
    ):
        engines = {"one": SearchEngine(one, encoder), "two": SearchEngine(two, encoder)}
        members = {
            name: Member(engine.collection.manifest, engine.search, engine.next_page)
            for name, engine in engines.items()
        }
        results = JointEngine().search(members, Query.of(text="red boat", k=4))
    assert results.joined == "score"
    found = [Path(hit.hit.image.path).stem for hit in results.hits]
    assert [NAMES[int(stem)] for stem in found] == ["white", "red", "orange", "black"]
