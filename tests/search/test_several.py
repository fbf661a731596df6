"""Several collections asked at once give what one of all their images would, if one model made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.errors import CollectionDamaged, CursorExpired, InvalidQuery
from search.engine import Results, SearchEngine
from search.query import MAX_K, Query
from search.several import JointEngine, JointResults, Member
from tests.indexer.samples import an_image
from tests.palette import PaletteEncoder

IMAGES = 30


class Turned(PaletteEncoder):
    """Another model of the same pictures."""

    def __init__(self) -> None:
        super().__init__(model="turned", weights_hash="1" * 64)


Make = Callable[..., Member]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A collection of images, by their numbers among `vectors()`, and how it is asked."""
    with ExitStack() as opened:

        def made(name: str, numbers: Sequence[int], encoder: PaletteEncoder | None = None) -> Member:
            encoder = encoder or PaletteEncoder()
            collection = opened.enter_context(Collection.open_or_create(tmp_path / name, encoder.manifest))
            collection.catalog.put([an_image(f"/{number}") for number in numbers], vectors()[list(numbers)])
            engine = SearchEngine(collection, encoder)
            return Member(collection.manifest, engine.search, engine.next_page)

        yield made


def vectors() -> NDArray[np.float16]:
    rng = np.random.default_rng(0)
    rows = np.abs(rng.normal(size=(IMAGES, 64)))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def paths(results: JointResults | Results) -> list[str]:
    if isinstance(results, Results):
        return [hit.image.path for hit in results.hits]
    return [found.hit.image.path for found in results.hits]


def all_pages(engine: JointEngine, first: JointResults, k: int) -> list[JointResults]:
    pages = [first]
    while cursor := pages[-1].cursor:
        pages.append(engine.next_page(cursor, k))
    return pages


def test_one_model_gives_the_list_of_one_collection(make: Make) -> None:
    whole = make("whole", range(IMAGES)).search(Query.of(text="red", k=IMAGES))
    parts = {
        "a": make("a", range(0, IMAGES, 2)),
        "b": make("b", range(1, 20, 2)),
        "c": make("c", range(21, IMAGES, 2)),
    }
    engine = JointEngine()
    pages = all_pages(engine, engine.search(parts, Query.of(text="red", k=7)), 7)
    assert [path for page in pages for path in paths(page)] == paths(whole)
    assert [found.hit.rank for page in pages for found in page.hits] == list(range(1, IMAGES + 1))
    assert [len(page.hits) for page in pages] == [7, 7, 7, 7, 2]
    assert (pages[0].joined, pages[0].images, pages[-1].more) == ("score", IMAGES, False)
    scores = [found.hit.score for page in pages for found in page.hits]
    assert np.allclose(scores, [hit.score for hit in whole.hits])
    odd = {found.hit.image.path for page in pages for found in page.hits if found.collection != "a"}
    assert odd == {f"/{number}" for number in range(1, IMAGES, 2)}

    by_offset = engine.search(parts, Query.of(text="red", k=5, offset=9))
    assert paths(by_offset) == paths(whole)[9:14]
    assert by_offset.cursor is not None
    assert paths(engine.next_page(by_offset.cursor, 3)) == paths(whole)[14:17]


def test_models_that_do_not_compare_take_turns(make: Make) -> None:
    members = {"a": make("a", range(6)), "t": make("t", range(6, 9), Turned()), "b": make("b", range(9, 12))}
    query = Query.of(text="red", k=20)
    same = sorted(
        (hit for name in "ab" for hit in members[name].search(query).hits), key=lambda hit: hit.score, reverse=True
    )
    other = members["t"].search(query).hits
    engine = JointEngine()
    pages = all_pages(engine, engine.search(members, Query.of(text="red", k=2)), 2)
    turns = [hit.image.path for pair in zip(same, other, strict=False) for hit in pair]
    assert [path for page in pages for path in paths(page)] == turns + [hit.image.path for hit in same[len(other) :]]
    assert {page.joined for page in pages} == {"rank"}


def test_pages_stay_what_they_were_and_skip_what_is_gone(make: Make, tmp_path: Path) -> None:
    members = {"a": make("a", range(0, 12)), "b": make("b", range(12, 24))}
    engine = JointEngine()
    first = engine.search(members, Query.of(text="red", k=6))
    expected = [path for page in all_pages(engine, first, 6) for path in paths(page)]
    gone = expected[7]
    with Collection.open(tmp_path / ("a" if int(gone[1:]) < 12 else "b")) as collection:
        [found] = collection.catalog.states_of([gone]).values()
        collection.catalog.remove([found.id])
        collection.catalog.put([an_image("/new")], vectors()[:1])
    assert [path for page in all_pages(engine, first, 6) for path in paths(page)] == [
        path for path in expected if path != gone
    ]


def test_one_that_cannot_answer_does_not_take_the_others_down(make: Make) -> None:
    good, damaged = make("good", range(9)), CollectionDamaged("/away", "disk I/O error")

    def fails(*_: object) -> Results:
        raise damaged

    engine = JointEngine()
    members = {"away": damaged, "good": good, "breaks": Member(good.manifest, fails, fails)}
    results = engine.search(members, Query.of(text="red", k=3))
    assert paths(results) == paths(good.search(Query.of(text="red", k=3)))
    assert [missing.collection for missing in results.unanswered] == ["away", "breaks"]
    assert "disk I/O error" in results.unanswered[0].reason
    with pytest.raises(CollectionDamaged):
        engine.search({"away": damaged}, Query.of(text="red"))

    later = Member(good.manifest, make("later", range(9, 24)).search, fails)
    first = engine.search({"good": good, "later": later}, Query.of(text="red", k=2))
    assert first.cursor is not None
    second = engine.next_page(first.cursor, 5)
    assert [missing.collection for missing in second.unanswered] == ["later"]
    assert {found.collection for found in second.hits} == {"good"}


def test_what_cannot_be_asked_for(make: Make) -> None:
    engine, members = JointEngine(), {"a": make("a", range(3)), "b": make("b", range(3, 6))}
    with pytest.raises(CursorExpired):
        engine.next_page("abc.3", 2)
    cursor = engine.search(members, Query.of(text="red", k=2)).cursor
    assert cursor is not None
    with pytest.raises(CursorExpired):
        engine.next_page(cursor.replace(".2", ".3"), 2)
    with pytest.raises(InvalidQuery, match="go on by cursor"):
        engine.search(members, Query.of(text="red", k=MAX_K))
    with pytest.raises(InvalidQuery, match="known in one collection"):
        engine.search(members, Query.of(text="red", min_probability=0.5))


def test_nothing_is_claimed_of_hits_of_several(make: Make) -> None:
    members = {"one": make("one", range(IMAGES)), "two": make("two", [3])}
    asked: list[Query] = []

    def watched(member: Member) -> Member:
        return replace(member, search=lambda query: (asked.append(query), member.search(query))[1])

    found = JointEngine().search(
        {name: watched(m) for name, m in members.items()}, Query.of(text="red", relevance=True)
    )
    assert not any(query.relevance for query in asked)
    assert {hit.hit.probability for hit in found.hits} == {None}
