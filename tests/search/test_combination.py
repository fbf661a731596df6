from __future__ import annotations

import numpy as np
import pytest

from indexer.errors import InvalidQuery
from search.combination import combined, shares

TEXT, OTHER_TEXT, PICTURE, OTHER_PICTURE = np.eye(4, dtype=np.float32)


def _combined(*terms: tuple[np.ndarray, float, bool]) -> np.ndarray:
    """Of vector, weight, and whether it is a text."""
    vectors, weights, are_texts = zip(*terms, strict=True)
    return combined(np.stack(vectors), np.array(weights, np.float32), np.array(are_texts))


def test_one_term_is_the_query_whatever_its_weight() -> None:
    assert _combined((TEXT, 7.0, True)).tolist() == [TEXT.tolist()]


def test_a_text_and_a_picture_are_added_by_their_weights() -> None:
    vector = _combined((TEXT, 1.0, True), (PICTURE, 0.5, False)).sum(axis=0)
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert vector[0] / vector[2] == pytest.approx(2)


def test_two_pictures_of_one_thing_count_as_much_as_one() -> None:
    both = _combined((TEXT, 1.0, True), (PICTURE, 1.0, False), (OTHER_PICTURE, 1.0, False)).sum(axis=0)
    assert both[0] == pytest.approx(np.hypot(both[2], both[3]))
    assert both[2] == pytest.approx(both[3])


def test_what_is_unwanted_is_subtracted_and_leaves_the_others_as_they_were() -> None:
    vector = _combined((TEXT, 1.0, True), (OTHER_TEXT, -0.5, True)).sum(axis=0)
    assert vector[1] / vector[0] == pytest.approx(-0.5)


@pytest.mark.parametrize("weights", [(1.0, -1.0), (3.0, -3.0)])
def test_weights_that_cancel_out_are_refused(weights: tuple[float, float]) -> None:
    with pytest.raises(InvalidQuery, match="cancel"):
        _combined((TEXT, weights[0], True), (TEXT, weights[1], True))


def test_pictures_that_are_opposites_are_refused() -> None:
    with pytest.raises(InvalidQuery, match="cancel"):
        _combined((TEXT, 1.0, True), (PICTURE, 1.0, False), (-PICTURE, 1.0, False))


def test_shares_add_up_to_the_cosine_and_do_not_depend_on_the_rows_beside() -> None:
    random = np.random.default_rng(0)
    images = random.standard_normal((50, 4)).astype(np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    parts = _combined((TEXT, 1.0, True), (PICTURE, 0.5, False), (OTHER_TEXT, -0.5, True))
    found = shares(parts, images)
    np.testing.assert_allclose(found.sum(axis=1), images @ parts.sum(axis=0), atol=1e-6)
    assert (found[7] == shares(parts, images[7:8])[0]).all()
