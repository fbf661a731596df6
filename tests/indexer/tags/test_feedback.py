from __future__ import annotations

import numpy as np
import pytest

from indexer.tags.feedback import RIGHT, WRONG, Moments, boundary, marks_part
from indexer.vectors import Vectors


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


@pytest.fixture
def images() -> Vectors:
    """300 of which the first 30 have a second thing in common besides the direction of all."""
    rows = np.random.default_rng(0).standard_normal((300, 24)).astype(np.float32) + 2 * np.eye(24, dtype=np.float32)[0]
    rows[:30] += 3 * np.eye(24, dtype=np.float32)[5]
    return _unit(rows)


_NONE = np.empty((0, 24), np.float32)


def test_in_a_round_space_it_is_rocchios_sum() -> None:
    """Without images: mean 0, and every direction as loud as any other."""
    query, right, wrong = np.eye(24, dtype=np.float32)[[0, 1, 2]]
    part = marks_part(query, right[None], wrong[None], Moments.of(_NONE))
    np.testing.assert_allclose(part, RIGHT * right - WRONG * wrong, atol=1e-6)


def _share(images: Vectors, vector: Vectors, unmarked: slice) -> float:
    order = np.argsort(-(images @ vector))
    first = [row for row in order if row not in range(*unmarked.indices(300))][:20]
    return float(np.mean([row < 30 for row in first]))


@pytest.mark.parametrize("marks", [1, 5])
def test_right_marks_bring_more_like_them(images: Vectors, marks: int) -> None:
    query = _unit(np.random.default_rng(1).standard_normal(24).astype(np.float32) + np.eye(24, dtype=np.float32)[5])
    part = marks_part(query, images[:marks], _NONE, Moments.of(images))
    assert _share(images, query + part, slice(marks)) > _share(images, query, slice(marks)) + 0.1


def test_wrong_marks_alone_take_away(images: Vectors) -> None:
    query = np.eye(24, dtype=np.float32)[5]
    part = marks_part(query, _NONE, images[:5], Moments.of(images))
    assert _share(images, query + part, slice(5)) < _share(images, query, slice(5))


def test_without_marks_nothing_is_added(images: Vectors) -> None:
    assert not marks_part(images[0], _NONE, _NONE, Moments.of(images)).any()


def test_a_single_image_has_moments_too(images: Vectors) -> None:
    part = marks_part(images[0], images[:1], _NONE, Moments.of(images[:1]))
    assert np.isfinite(part).all()


def test_a_boundary_lies_between_the_collection_and_the_marks() -> None:
    sample = np.linspace(0, 1, 101, dtype=np.float32)
    line = boundary(np.array([1.8, 2.2], np.float32), sample)
    assert -line.bias / line.gain == pytest.approx(0.8 + 0.45 * (2 - 0.8))
    assert line.gain > 0
    same = boundary(np.array([0.1], np.float32), sample)  # a mark that is below most
    assert np.isfinite([same.gain, same.bias]).all()
    assert same.gain > 0
