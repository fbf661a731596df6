from __future__ import annotations

import numpy as np
import pytest

from search.relevance.background import NEAREST, Seen, Vocabulary
from search.relevance.features import QueryNull, features, of_the_best


def _unit(*rows: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    made = np.array(rows, np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_what_says_nearly_the_same_is_no_rival() -> None:
    vocabulary = Vocabulary.of(_unit((1, 0, 0), (0.99, 0.1, 0), (0, 1, 0), (0, 0, 1)))
    assert vocabulary.others(_unit((1, 0.05, 0))[0]).tolist() == [False, False, True, True]


def test_a_picture_beside_the_vocabulary() -> None:
    vocabulary = Vocabulary.of(_unit((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    seen = Seen.of(_unit((3, 4, 0)), vocabulary)
    assert seen.mean[0] == pytest.approx((0.6 + 0.8) / 3)
    assert seen.spread[0] == pytest.approx(np.std([0.6, 0.8, 0]), abs=1e-5)
    assert seen.nearest[0].tolist() == pytest.approx([0.8, 0.6, 0])
    assert seen.texts[0].tolist() == [1, 0, 2]
    assert seen.beside(np.array([True, True, True])).rival[0] == pytest.approx(0.8)
    assert seen.beside(np.array([True, False, True])).rival[0] == pytest.approx(0.6)
    assert seen.beside(np.array([False, False, False])).rival[0] == pytest.approx(0)  # the last that is kept


def test_pictures_are_the_same_beside_one_query_and_beside_any() -> None:
    rng = np.random.default_rng(2)
    texts, pictures = (rng.standard_normal((n, 16)).astype(np.float32) for n in (200, 30))
    vocabulary = Vocabulary.of(texts)
    others = rng.random(200) < 0.6
    kept, once = Seen.of(pictures, vocabulary).beside(others), vocabulary.beside(pictures, others)
    assert once.mean == pytest.approx(kept.mean, abs=1e-5)
    assert once.spread == pytest.approx(kept.spread, abs=1e-5)
    assert once.rival == pytest.approx(kept.rival, abs=1e-5)


def test_no_more_texts_are_kept_than_are_needed() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 8)).astype(np.float32)
    seen = Seen.of(rows[:5], Vocabulary.of(rows))
    assert seen.nearest.shape == (5, NEAREST)
    assert np.array_equal(seen.nearest, -np.sort(-(rows[:5] @ rows.T), axis=1)[:, :NEAREST])


def test_features_by_hand() -> None:
    vocabulary = Vocabulary.of(_unit((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    seen = Seen.of(_unit((3, 4, 0)), vocabulary)
    scores = np.array([0.9], np.float32)
    null = QueryNull.of(np.array([0.1, 0.3], np.float32))
    [[collection, texts, rival]] = features(scores, seen.beside(np.array([True, True, True])), null)
    spread = np.std([0.6, 0.8, 0])
    assert collection == pytest.approx((0.9 - 0.2) / 0.1, rel=1e-4)
    assert texts == pytest.approx((0.9 - 1.4 / 3) / spread, rel=1e-4)
    assert rival == pytest.approx(0.1 / spread, rel=1e-4)
    [best] = of_the_best(np.array([[1, 5, 2], [3, 4, -1]], np.float32), 1000)
    assert best.tolist() == pytest.approx([3, 5, 2, np.sqrt(2 * np.log(1000))])


@pytest.mark.parametrize(("scale", "shift"), [(0.3, 0.0), (1.0, 0.4), (0.1, 0.2)])
def test_no_feature_depends_on_the_scale_of_a_models_scores(scale: float, shift: float) -> None:
    """A model whose cosines are all a times s plus b, such as one whose texts and pictures lie far apart."""
    rng = np.random.default_rng(1)
    texts, pictures = (rng.standard_normal((n, 16)).astype(np.float32) for n in (40, 30))
    plain = Seen.of(pictures, Vocabulary.of(texts))
    scores = pictures @ rng.standard_normal(16).astype(np.float32)
    other = Seen(scale * plain.mean + shift, scale * plain.spread, scale * plain.nearest + shift, plain.texts)
    everything = np.ones(40, np.bool_)
    expected = features(scores, plain.beside(everything), QueryNull.of(scores))
    moved = (scale * scores + shift).astype(np.float32)
    assert features(moved, other.beside(everything), QueryNull.of(moved)) == pytest.approx(expected, rel=1e-2, abs=1e-2)


def test_scores_without_spread_are_finite() -> None:
    same = np.full((60, 4), 0.5, np.float32)
    seen = Seen.of(same, Vocabulary.of(same[:3]))
    found = features(
        np.full(60, 0.5, np.float32), seen.beside(np.ones(3, np.bool_)), QueryNull.of(np.full(60, 0.5, np.float32))
    )
    assert np.isfinite(found).all()
