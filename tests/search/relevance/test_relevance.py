"""Judging queries over pictures of nine colours, by an encoder that knows ten."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.vectors.segmented import SegmentedIndex
from search.query import ImageTerm, IndexedTerm, Query, TextTerm
from search.rankings import ByScore, Window
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


def _best(index: SegmentedIndex, vector: NDArray[np.float32], k: int, allowed: list[int] | None = None) -> Window:
    return ByScore(index, vector, None if allowed is None else np.array(allowed, np.int64)).window(0, k)


def _judged(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex, text: str, allowed: list[int] | None = None
) -> QueryRelevance:
    [vector] = encoder.encode_texts([text])
    ids = None if allowed is None else np.array(allowed, np.int64)
    judged = relevance.judge(vector, index, _best(index, vector, module.COUNTED, allowed), ids)
    assert judged is not None
    return judged


def _probabilities(judged: QueryRelevance, found: Window) -> NDArray[np.float32]:
    assert found.scores is not None
    return judged.probabilities(found.ids, found.scores)


def test_matches_are_likelier_than_all_else_and_their_sum_is_the_number(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    judged = _judged(relevance, encoder, index, "red")
    [vector] = encoder.encode_texts(["red"])
    found = _best(index, vector, len(index))
    likely = _probabilities(judged, found)
    red = found.ids // EACH == KINDS.index("red")
    assert likely[red].min() > likely[~red].max()
    assert ((likely >= 0) & (likely <= 1)).all()
    assert not judged.claim.no_match
    assert judged.claim.matches.about == pytest.approx(likely.sum(), abs=1)
    surest = judged.likely(ByScore(index, vector, None), float(likely[red].min()))
    assert surest.window(0, 1000).ids.tolist() == found.ids[red].tolist()
    assert surest.window(3, 5).ids.tolist() == found.ids[red][3:5].tolist()


def test_a_sample_stands_for_the_rest_and_hits_are_judged_alike(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _judged(relevance, encoder, index, "green")
    # What stands for all the pictures is known of them all: the same null, from pictures that are judged one by one.
    monkeypatch.setattr(module, "SAMPLE", 179)
    monkeypatch.setattr(module, "COUNTED", 10)
    some = _judged(Relevance(lambda: encoder.encode_texts(TEXTS)), encoder, index, "green")
    assert some.claim.matches.low <= whole.claim.matches.about <= some.claim.matches.high
    assert not some.claim.no_match
    assert len(some.known) == 10
    found = _best(index, encoder.encode_texts(["green"])[0], 50)
    assert _probabilities(some, found) == pytest.approx(_probabilities(whole, found), abs=0.02)


def test_what_may_be_found_alone_is_counted(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    red = KINDS.index("red") * EACH
    allowed = [*range(20), *range(red, red + 10)]
    judged = _judged(relevance, encoder, index, "red", allowed)
    found = _best(index, encoder.encode_texts(["red"])[0], len(index), allowed)
    assert judged.claim.matches.about == pytest.approx(_probabilities(judged, found).sum(), abs=1)
    assert _judged(relevance, encoder, index, "red", list(range(20))).claim.matches.about == 0
    assert _judged(relevance, encoder, index, "red", []).claim.no_match


@pytest.mark.parametrize(
    "query",
    [
        Query((ImageTerm(b""),)),
        Query((IndexedTerm(1),)),
        Query((TextTerm("red"), IndexedTerm(1))),
        Query((TextTerm("red"), TextTerm("blue", -0.5))),
        Query((TextTerm("red"),), sort="name"),
    ],
)
def test_nothing_is_claimed_but_of_wanted_texts_by_score(query: Query) -> None:
    assert not Relevance.judges(query)
    assert Relevance.judges(Query((TextTerm("red"), TextTerm("blue", 2)), prompts=("a {}",)))


def test_nothing_is_claimed_of_too_few_or_without_a_vocabulary(
    relevance: Relevance, encoder: PaletteEncoder, index: SegmentedIndex
) -> None:
    [vector] = encoder.encode_texts(["red"])
    found = _best(index, vector, 10)
    few = SegmentedIndex.build(np.arange(FEWEST - 1), _pictures(encoder)[: FEWEST - 1])
    assert relevance.judge(vector, few, found) is None
    assert Relevance(lambda: None).judge(vector, index, found) is None


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
