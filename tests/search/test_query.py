from __future__ import annotations

import pytest

from indexer.errors import ImageNotFound, InvalidQuery
from search.query import MAX_ID, MAX_K, MAX_TEXT, ImageTerm, IndexedTerm, Query, TextTerm


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
