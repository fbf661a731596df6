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
from search.engine import QUERY_BATCH, SearchEngine
from search.query import IndexedTerm, Query, TextTerm
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
