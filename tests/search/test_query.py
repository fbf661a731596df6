from __future__ import annotations

from typing import Any

import pytest

from indexer.errors import ImageNotFound, InvalidQuery
from search.filters import Camera, Or
from search.query import MAX_ID, MAX_K, MAX_TERMS, MAX_TEXT, ImageTerm, IndexedTerm, Query, TextTerm


def test_terms_are_whichever_are_given() -> None:
    query = Query.of(text="a dog", image=b"...", image_id=3)
    assert query.terms == (TextTerm("a dog"), ImageTerm(b"..."), IndexedTerm(3))


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="empty"):
        Query.of(text=text)


def test_nothing_to_search_by_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="nothing to search by"):
        Query.of()


def test_a_long_text_is_refused_at_the_limit_and_no_sooner() -> None:
    Query.of(text="x" * MAX_TEXT)
    with pytest.raises(InvalidQuery, match=f"{MAX_TEXT + 1:,} characters"):
        Query.of(text="x" * (MAX_TEXT + 1))
    with pytest.raises(InvalidQuery, match="100,000 characters"):
        Query.of(text="x" * 100_000)


@pytest.mark.parametrize("k", [0, -1, MAX_K + 1, 1_000_000])
def test_k_out_of_range_is_refused_with_the_range(k: int) -> None:
    with pytest.raises(InvalidQuery, match=f"1 to {MAX_K:,}"):
        Query.of(text="x", k=k)


def test_a_negative_offset_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="offset"):
        Query.of(text="x", offset=-1)


@pytest.mark.parametrize("image_id", [-1, MAX_ID + 1, 10**23])
def test_an_id_that_no_collection_can_have_is_not_found(image_id: int) -> None:
    with pytest.raises(ImageNotFound, match=str(image_id)):
        Query.of(image_id=image_id)


def test_a_query_of_only_what_is_unwanted_says_what_to_add() -> None:
    with pytest.raises(InvalidQuery, match="add what is"):
        Query((TextTerm("people", -0.5),))
    with pytest.raises(InvalidQuery, match="add what is"):
        Query((TextTerm("people", -0.5),), filter=Camera("canon"))


@pytest.mark.parametrize("weight", [0.0, 1e-300, float("nan"), float("inf"), 101.0, -101.0])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(InvalidQuery, match="the weight"):
        Query((TextTerm("a dog"), TextTerm("grass", weight)))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"prompts": ("a photo of",)}, "in the place of the text"),
        ({"prompts": ("{}",) * 40}, "40 prompts"),
        ({"sort": "size"}, "cannot sort by 'size'"),
        ({"among": 0}, "among is 0"),
        ({"terms": (TextTerm("x"),) * (MAX_TERMS + 1)}, "33 terms"),
        ({"terms": (), "filter": Camera("x"), "sort": "score"}, "no score to sort by"),
        ({"filter": Or((Camera("x"),) * 300)}, "over the limit"),
    ],
)
def test_what_else_cannot_be_asked(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidQuery, match=says):
        Query(**{"terms": (TextTerm("a dog"),), **fields})
