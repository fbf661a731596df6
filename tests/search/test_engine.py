from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.catalog import NewImage
from indexer.collection import Collection
from indexer.errors import CursorExpired, ImageNotFound, InvalidQuery, ModelMismatch, UnreadableImage
from indexer.images import Limits
from search.engine import QUERY_BATCH, Results, SearchEngine
from search.filters import And, Format, PathPart
from search.query import Feedback, ImageTerm, IndexedTerm, Query, TextTerm
from search.region import Region
from tests.palette import COLOURS, PaletteEncoder


@pytest.fixture
def encoder() -> PaletteEncoder:
    return PaletteEncoder()


def _picture(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((16, 16, 3), COLOURS[name], np.uint8)


def _png(name: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(_picture(name)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def collection(tmp_path: Path, encoder: PaletteEncoder) -> Iterator[Collection]:
    """One plain picture of each colour, in the order of `COLOURS`: black is id 1."""
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        vectors = encoder.encode_images(np.stack([_picture(name) for name in COLOURS]))
        images = [
            NewImage(
                path=f"/photos/{name}.png",
                size=1,
                mtime_ns=1,
                content_hash=f"{number:064x}",
                width=16,
                height=16,
                format="png",
                taken_at=None,
                camera=None,
            )
            for number, name in enumerate(COLOURS)
        ]
        collection.catalog.put(images, vectors.astype(np.float16))
        encoder.image_batches.clear()
        yield collection


@pytest.fixture
def engine(collection: Collection, encoder: PaletteEncoder) -> SearchEngine:
    return SearchEngine(collection, encoder)


def _add(collection: Collection, encoder: PaletteEncoder, colour: str, path: str) -> None:
    image = NewImage(
        path=path, size=1, mtime_ns=1, content_hash="f" * 64, width=16, height=16, format="png", taken_at=None,
        camera=None,
    )  # fmt: skip
    collection.catalog.put([image], encoder.encode_images(_picture(colour)[None]).astype(np.float16))


def _first(engine: SearchEngine, query: Query) -> str:
    return Path(engine.search(query).hits[0].image.path).stem


@pytest.mark.parametrize("colour", COLOURS)
def test_words_pictures_and_ids_find_the_same_image(engine: SearchEngine, colour: str) -> None:
    image_id = list(COLOURS).index(colour) + 1
    assert _first(engine, Query.of(text=colour)) == colour
    assert _first(engine, Query.of(image=_png(colour))) == colour
    assert _first(engine, Query.of(image_id=image_id)) == colour


def test_scores_are_cosines_in_falling_order_and_ranks_count_from_one(engine: SearchEngine) -> None:
    results = engine.search(Query.of(image=_png("red"), k=10))
    assert [hit.rank for hit in results.hits] == list(range(1, 11))
    scores = [hit.score for hit in results.hits]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1.0, abs=1e-3)
    assert results.images == len(COLOURS)


def test_text_and_picture_together_lie_between_the_two(engine: SearchEngine) -> None:
    both = {Path(hit.image.path).stem for hit in engine.search(Query.of(text="red", image=_png("blue"), k=2)).hits}
    assert both == {"red", "blue"}


def test_weights_count(engine: SearchEngine) -> None:
    assert _first(engine, Query((TextTerm("red", 1.0), TextTerm("blue", 0.1)))) == "red"
    assert _first(engine, Query((TextTerm("red", 0.1), TextTerm("blue", 1.0)))) == "blue"
    with pytest.raises(InvalidQuery, match="cancel"):
        engine.search(Query((TextTerm("red", 1.0), TextTerm("red", -1.0))))


def test_pages_join_without_gap_or_repeat(engine: SearchEngine) -> None:
    whole = engine.search(Query.of(text="red", k=10))
    first = engine.search(Query.of(text="red", k=4))
    second = engine.search(Query.of(text="red", k=4, offset=4))
    third = engine.search(Query.of(text="red", k=4, offset=8))
    assert first.hits + second.hits + third.hits == whole.hits
    assert [page.more for page in (first, second, third, whole)] == [True, True, False, False]


def test_a_cursor_goes_on_with_what_was_there(
    collection: Collection, engine: SearchEngine, encoder: PaletteEncoder
) -> None:
    whole = engine.search(Query.of(text="red", k=10))
    first = engine.search(Query.of(text="red", k=4))
    assert whole.cursor is None
    assert first.cursor is not None
    collection.catalog.remove([whole.hits[5].image.id, whole.hits[0].image.id])
    _add(collection, encoder, "red", "/photos/another-red.png")
    second = engine.next_page(first.cursor, 4)
    assert second.hits == (whole.hits[4], whole.hits[6], whole.hits[7])  # what is gone is left out, no rank shifts
    assert (second.offset, second.more, second.images) == (4, True, len(COLOURS))  # as it was searched
    assert second.cursor is not None
    third = engine.next_page(second.cursor, 4)
    assert third.hits == whole.hits[8:]
    assert third.cursor is None
    assert engine.next_page(first.cursor, 2).hits == (whole.hits[4],)
    assert _first(engine, Query.of(text="red")) == "another-red"


def test_a_cursor_of_nothing_and_a_page_out_of_range_are_errors(engine: SearchEngine) -> None:
    with pytest.raises(CursorExpired):
        engine.next_page("nothing.4")
    cursor = engine.search(Query.of(text="red", k=1)).cursor
    assert cursor is not None
    with pytest.raises(InvalidQuery, match="k is 0"):
        engine.next_page(cursor, 0)
    with pytest.raises(InvalidQuery, match="offset is 100,001"):
        engine.next_page(cursor.replace(".1", ".100001"))


def test_following_a_cursor_encodes_nothing(engine: SearchEngine, encoder: PaletteEncoder) -> None:
    cursor = engine.search(Query.of(text="red", k=2)).cursor
    assert cursor is not None
    engine.next_page(cursor, 2)
    assert encoder.text_batches == [1]


def test_only_allowed_images_are_found_on_every_page(engine: SearchEngine) -> None:
    allowed = np.array([2, 4, 5, 9])
    first = engine.search(Query.of(text="red", k=3), allowed=allowed)
    assert first.cursor is not None
    rest = engine.next_page(first.cursor, 3)
    assert sorted(hit.image.id for hit in first.hits + rest.hits) == allowed.tolist()
    assert not rest.more


def test_an_offset_past_the_end_is_an_empty_page(engine: SearchEngine) -> None:
    assert engine.search(Query.of(text="red", k=5, offset=50)).hits == ()


def test_many_queries_are_encoded_in_batches_and_answered_in_order(
    engine: SearchEngine, encoder: PaletteEncoder
) -> None:
    names = [list(COLOURS)[number % len(COLOURS)] for number in range(QUERY_BATCH + 7)]
    answers = engine.search_many([Query.of(text=f"{name} {number}", k=1) for number, name in enumerate(names)])
    assert [Path(answer.hits[0].image.path).stem for answer in answers] == names
    assert encoder.text_batches == [QUERY_BATCH, 7]
    engine.search_many([Query.of(text=f"{name} {number}", k=1) for number, name in enumerate(names)])
    assert encoder.text_batches == [QUERY_BATCH, 7]  # each text is encoded once


def test_no_queries_no_answers(engine: SearchEngine) -> None:
    assert engine.search_many([]) == []


def test_an_empty_collection_has_no_hits(tmp_path: Path, encoder: PaletteEncoder) -> None:
    with Collection.open_or_create(tmp_path / "empty", encoder.manifest) as empty:
        results = SearchEngine(empty, encoder).search(Query.of(text="red"))
    assert (results.hits, results.images, results.more) == ((), 0, False)


def test_what_was_removed_or_added_shows_at_once(collection: Collection, engine: SearchEngine) -> None:
    red = engine.search(Query.of(text="red", k=1)).hits[0].image
    collection.catalog.remove([red.id])
    assert _first(engine, Query.of(text="red")) != "red"
    with pytest.raises(ImageNotFound, match=str(red.id)):
        engine.search(Query((IndexedTerm(red.id),)))


def test_a_picture_that_cannot_be_used_is_an_error(collection: Collection, encoder: PaletteEncoder) -> None:
    engine = SearchEngine(collection, encoder, Limits(max_pixels=100))
    with pytest.raises(UnreadableImage):
        engine.search(Query.of(image=b"not a picture"))
    with pytest.raises(UnreadableImage, match="256 pixels"):
        engine.search(Query.of(image=_png("red")))


def test_another_models_encoder_is_refused(collection: Collection) -> None:
    with pytest.raises(ModelMismatch, match="palette"):
        SearchEngine(collection, PaletteEncoder(model="other", weights_hash="1" * 64))


def _stems(results: Results) -> list[str]:
    return [Path(hit.image.path).stem for hit in results.hits]


def test_every_term_has_its_share_of_the_score(engine: SearchEngine) -> None:
    terms = (TextTerm("red"), ImageTerm(_png("blue"), 0.5), TextTerm("yellow", -0.5))
    results = engine.search(Query(terms, k=10))
    for hit in results.hits:
        assert sum(hit.shares) == pytest.approx(hit.score, abs=1e-5)
    by_name = dict(zip(_stems(results), results.hits, strict=True))
    assert np.argmax(by_name["red"].shares) == 0
    assert np.argmax(by_name["blue"].shares) == 1
    assert by_name["yellow"].shares[2] < -0.3
    [alone] = engine.search(Query.of(text="red", k=1)).hits
    assert alone.shares == (alone.score,)


def test_what_is_not_to_be_seen_falls_behind(engine: SearchEngine) -> None:
    both = engine.search(Query((TextTerm("red blue"),), k=2))
    assert set(_stems(both)) == {"red", "blue"}
    without = engine.search(Query((TextTerm("red"), TextTerm("blue", -0.5)), k=10))
    assert (_stems(without)[0], _stems(without)[-1]) == ("red", "blue")


def test_prompts_are_averaged(engine: SearchEngine) -> None:
    query = Query((TextTerm("red"),), k=2, prompts=("{} blue", "{} blue", "{}"))
    assert set(_stems(engine.search(query))) == {"red", "blue"}
    assert _first(engine, Query((TextTerm("red"),), prompts=("{}",))) == "red"


def test_a_region_of_a_picture_or_of_an_indexed_image_is_looked_for(
    tmp_path: Path, collection: Collection, encoder: PaletteEncoder, engine: SearchEngine
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate([_picture("green"), _picture("magenta")], axis=1)).save(buffer, "PNG")
    right = Region(0.5, 0, 0.5, 1)
    assert _first(engine, Query((ImageTerm(buffer.getvalue(), region=right),))) == "magenta"
    (tmp_path / "halves.png").write_bytes(buffer.getvalue())
    _add(collection, encoder, "green", str(tmp_path / "halves.png"))
    image_id = len(COLOURS) + 1
    assert _first(engine, Query((IndexedTerm(image_id),))) in ("green", "halves")
    assert _first(engine, Query((IndexedTerm(image_id, region=right),))) == "magenta"
    (tmp_path / "halves.png").unlink()
    with pytest.raises(UnreadableImage):
        engine.search(Query((IndexedTerm(image_id, region=right),)))


def test_only_what_passes_the_filter_is_found_and_counted(engine: SearchEngine) -> None:
    results = engine.search(Query((TextTerm("red"),), filter=PathPart("e"), k=3))
    assert (results.matched, results.more, _stems(results)[0]) == (7, True, "red")
    results = engine.search(Query((TextTerm("red"),), filter=PathPart("ge"), k=1))
    assert (results.matched, results.cursor is not None) == (2, True)
    rest = engine.next_page(str(results.cursor), 10)
    assert ({*_stems(results), *_stems(rest)}, rest.matched) == ({"magenta", "orange"}, 2)


def test_a_filter_alone_lists_what_passes(engine: SearchEngine) -> None:
    query = Query((), filter=PathPart("ge"), sort="name", k=1)
    results = engine.search(query, facets=True)
    assert [(hit.score, hit.shares) for hit in results.hits] == [(None, ())]
    assert (_stems(results), results.matched, results.more) == (["magenta"], 2, True)
    assert results.facets is not None
    assert results.facets.total == 2
    assert _stems(engine.next_page(str(results.cursor), 10)) == ["orange"]
    orange = list(COLOURS).index("orange") + 1
    allowed = engine.search(query, allowed=np.array([1, orange]), facets=True)
    assert _stems(allowed) == ["orange"]
    assert allowed.facets is not None
    assert (allowed.matched, allowed.facets.total) == (1, 1)


@pytest.mark.parametrize("terms", [(), (TextTerm("red"),)])
def test_filters_that_contradict_each_other_pass_nothing(engine: SearchEngine, terms: tuple[TextTerm, ...]) -> None:
    results = engine.search(Query(terms, filter=And((Format(("png",)), Format(("jpeg",))))), facets=True)
    assert (results.hits, results.matched, results.more) == ((), 0, False)
    assert results.facets is not None
    assert results.facets.total == 0


def test_the_best_are_sorted_by_name_and_counted(engine: SearchEngine) -> None:
    best = engine.search(Query.of(text="red", k=4))
    results = engine.search(Query((TextTerm("red"),), sort="name", among=4, k=3), facets=True)
    pages = [*results.hits, *engine.next_page(str(results.cursor), 5).hits]
    assert [Path(hit.image.path).stem for hit in pages] == sorted(_stems(best))
    assert {(hit.image.id, hit.score) for hit in pages} == {(hit.image.id, hit.score) for hit in best.hits}
    assert results.facets is not None
    assert results.facets.total == 4


def test_queries_of_all_kinds_may_be_asked_together(engine: SearchEngine) -> None:
    queries = [
        Query.of(text="red", k=3),
        Query((TextTerm("red"), TextTerm("blue", -0.5)), k=3),
        Query((TextTerm("red"),), filter=PathPart("n."), k=3),
        Query((), filter=PathPart("n."), sort="name"),
        Query((TextTerm("red"),), sort="name", k=3),
    ]
    together = [_stems(results) for results in engine.search_many(queries)]
    assert together == [_stems(engine.search(query)) for query in queries]


def test_marks_change_the_ranking_and_what_is_wrong_is_not_shown_again(engine: SearchEngine) -> None:
    cyan, blue = list(COLOURS).index("cyan") + 1, list(COLOURS).index("blue") + 1
    query = Query((TextTerm("blue"),), k=5, feedback=Feedback(right=(cyan,), wrong=(blue,)))
    results = engine.search(query)
    assert results.hits[0].image.id == cyan
    assert blue not in [hit.image.id for hit in results.hits]
    for hit in results.hits:
        assert len(hit.shares) == 2
        assert sum(hit.shares) == pytest.approx(hit.score, abs=1e-5)
    [batched] = engine.search_many([query])
    assert [hit.image.id for hit in batched.hits] == [hit.image.id for hit in results.hits]
    with pytest.raises(ImageNotFound):
        engine.search(Query((TextTerm("blue"),), feedback=Feedback(right=(999,))))


@pytest.mark.parametrize(
    ("marks", "says"), [(((), ()), "0 hits are marked"), (((1,), (1,)), "marked right and wrong"), (((-1,), ()), "-1")]
)
def test_marks_that_cannot_be_meant(marks: tuple[tuple[int, ...], tuple[int, ...]], says: str) -> None:
    with pytest.raises((InvalidQuery, ImageNotFound), match=says):
        Feedback(*marks)
    with pytest.raises(InvalidQuery, match="say what a query means"):
        Query((), filter=PathPart("x"), feedback=Feedback(right=(1,)))
