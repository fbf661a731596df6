"""Judging queries over pictures of nine colours, by an encoder that knows ten."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.vectors.segmented import SegmentedIndex
from search.query import ImageTerm, IndexedTerm, Query, TextTerm
from search.relevance import relevance as module
from search.relevance.relevance import FEWEST, QueryRelevance, Relevance
from tests.palette import COLOURS, PaletteEncoder

TEXTS = (*COLOURS, *(f"{one} {other}" for one in COLOURS for other in COLOURS if one < other))
KINDS = [name for name in COLOURS if name != "magenta"]
EACH = 20


@pytest.fixture(scope="module")
def encoder() -> PaletteEncoder:
    return PaletteEncoder()


def _pictures(encoder: PaletteEncoder) -> NDArray[np.float16]:
    """180 noisy pictures, twenty of each colour but magenta: row 0 to 19 are black."""
    rng = np.random.default_rng(0)
    plain = np.repeat([COLOURS[name] for name in KINDS], EACH, axis=0)[:, None, None, :]
    noisy = np.clip(plain + rng.normal(0, 30, (len(plain), 16, 16, 3)), 0, 255).astype(np.uint8)
    return encoder.encode_images(noisy).astype(np.float16)


@pytest.fixture(scope="module")
def index(encoder: PaletteEncoder) -> SegmentedIndex:
    vectors = _pictures(encoder)
    return SegmentedIndex.build(np.arange(len(vectors)), vectors)


@pytest.fixture
def relevance(encoder: PaletteEncoder) -> Relevance:
    return Relevance(lambda: encoder.encode_texts(TEXTS))


def _judged(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex, text: str, allowed: list[int] | None = None
) -> QueryRelevance:
    ids = None if allowed is None else np.array(allowed, np.int64)
    [vector] = encoder.encode_texts([text])
    [found] = index.search(vector[None], module.COUNTED, ids)
    judged = relevance.of(Query.of(text=text), vector, index, found, ids)
    assert judged is not None
    return judged


def test_matches_are_likelier_than_all_else_and_their_sum_is_the_number(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    judged = _judged(relevance, encoder, index, "red")
    [found] = index.search(judged.vector[None], len(index))
    likely = judged.probabilities(found)
    red = found.ids // EACH == KINDS.index("red")
    assert likely[red].min() > likely[~red].max()
    assert ((likely >= 0) & (likely <= 1)).all()
    assert not judged.claim.no_match
    assert judged.claim.matches.about == pytest.approx(likely.sum(), abs=1)
    least = float(likely[red].min())
    assert set(judged.likely(least).ids.tolist()) == set(found.ids[red].tolist())


def test_a_page_is_judged_as_the_whole(relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex) -> None:
    judged = _judged(relevance, encoder, index, "blue")
    [whole] = index.search(judged.vector[None], 100)
    [page] = index.search(judged.vector[None], 7)
    assert judged.probabilities(page) == pytest.approx(judged.probabilities(whole)[:7], abs=1e-5)


def test_a_sample_stands_for_the_rest(
    encoder: PaletteEncoder, index: SegmentedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _judged(Relevance(lambda: encoder.encode_texts(TEXTS)), encoder, index, "green").claim
    monkeypatch.setattr(module, "SAMPLE", 90)
    monkeypatch.setattr(module, "COUNTED", 10)
    some = _judged(Relevance(lambda: encoder.encode_texts(TEXTS)), encoder, index, "green").claim
    assert some.matches.low <= whole.matches.about <= some.matches.high
    assert not some.no_match


def test_what_may_be_found_alone_is_counted(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    red = KINDS.index("red") * EACH
    allowed = [*range(20), *range(red, red + 10)]
    judged = _judged(relevance, encoder, index, "red", allowed)
    [found] = index.search(judged.vector[None], len(index), np.array(allowed))
    assert judged.claim.matches.about == pytest.approx(judged.probabilities(found).sum(), abs=1)
    assert _judged(relevance, encoder, index, "red", list(range(20))).claim.matches.about == 0
    assert _judged(relevance, encoder, index, "red", []).claim.no_match


def test_nothing_is_claimed_of_pictures_or_of_too_few(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    [vector] = encoder.encode_texts(["red"])
    [found] = index.search(vector[None], 10)
    for terms in ((ImageTerm(b""),), (IndexedTerm(1),), (TextTerm("red"), IndexedTerm(1))):
        assert relevance.of(Query(terms), vector, index, found) is None
    few = SegmentedIndex.build(np.arange(FEWEST - 1), _pictures(encoder)[: FEWEST - 1])
    assert relevance.of(Query.of(text="red"), vector, few, found) is None
    assert Relevance(lambda: None).of(Query.of(text="red"), vector, index, found) is None


def test_the_sample_is_taken_again_once_the_collection_has_changed(
    encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    relevance = Relevance(lambda: encoder.encode_texts(TEXTS))
    assert _judged(relevance, encoder, index, "magenta").claim.no_match
    magenta = np.full((30, 16, 16, 3), COLOURS["magenta"], np.uint8)
    grown = index.changed(
        np.arange(1000, 1030), encoder.encode_images(magenta).astype(np.float16), np.empty(0, np.int64)
    )
    after = _judged(relevance, encoder, grown, "magenta").claim
    assert not after.no_match
    assert after.matches.about > 5
