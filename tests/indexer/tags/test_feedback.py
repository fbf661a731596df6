from __future__ import annotations

import numpy as np
import pytest

from indexer.tags.feedback import RIGHT, WRONG, Marks, Moments, boundary, marks_part
from indexer.vectors import Vectors
from indexer.vectors.segmented import SegmentedIndex


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


@pytest.fixture
def images() -> Vectors:
    """300 of which the first 30 have a second thing in common besides the direction of all."""
    rows = np.random.default_rng(0).standard_normal((300, 24)).astype(np.float32) + 2 * np.eye(24, dtype=np.float32)[0]
    rows[:30] += 3 * np.eye(24, dtype=np.float32)[5]
    return _unit(rows)


_NONE = np.empty((0, 24), np.float32)


def _part(images: Vectors, query: Vectors, right: slice, wrong: slice = slice(0)) -> Vectors:
    index = SegmentedIndex.build(np.arange(len(images)), images.astype(np.float16))
    marks = Marks(images[right], images[wrong], np.arange(len(images))[wrong])
    return marks_part(query, marks, index, Moments.of(images))


def test_in_a_round_space_it_is_rocchios_sum() -> None:
    """Of moments of nothing: mean 0, and all directions as loud. Three images are too few to take a best one of."""
    query, right, wrong = rows = np.eye(24, dtype=np.float32)[[0, 1, 2]]
    index = SegmentedIndex.build(np.arange(3), rows.astype(np.float16))
    part = marks_part(query, Marks(right[None], wrong[None], np.array([2])), index, Moments.of(_NONE))
    np.testing.assert_allclose(part, RIGHT * np.sqrt(2) * right - WRONG * wrong, atol=1e-6)  # it came second


def _share(images: Vectors, vector: Vectors, unmarked: slice) -> float:
    order = np.argsort(-(images @ vector))
    first = [row for row in order if row not in range(*unmarked.indices(300))][:20]
    return float(np.mean([row < 30 for row in first]))


@pytest.mark.parametrize("marks", [1, 5])
def test_right_marks_bring_more_like_them(images: Vectors, marks: int) -> None:
    query = _unit(np.random.default_rng(1).standard_normal(24).astype(np.float32) + np.eye(24, dtype=np.float32)[5])
    part = _part(images, query, slice(marks))
    assert _share(images, query + part, slice(marks)) > _share(images, query, slice(marks)) + 0.1


def test_right_marks_weigh_more_where_the_query_found_them_late(images: Vectors) -> None:
    moments = Moments.of(images)

    def turned(query: Vectors) -> float:
        return moments.loudness(_part(images, query, slice(5))) / moments.loudness(query.astype(np.float64))

    near, far = _unit(images[:5].mean(axis=0)), np.eye(24, dtype=np.float32)[9]
    assert turned(far) > 1.5 * turned(near)


def test_wrong_marks_alone_take_away_and_are_not_taken_for_right(images: Vectors) -> None:
    query = np.eye(24, dtype=np.float32)[5]
    part = _part(images, query, slice(0), slice(5))
    assert float((images[:5] @ part).mean()) < float((images[5:30] @ part).mean())


def test_without_marks_nothing_is_added(images: Vectors) -> None:
    assert not _part(images, images[0], slice(0)).any()


def test_a_single_image_has_moments_too(images: Vectors) -> None:
    assert np.isfinite(_part(images[:1], images[0], slice(1))).all()


def test_a_boundary_lies_between_the_collection_and_the_marks() -> None:
    sample = np.linspace(0, 1, 101, dtype=np.float32)
    line = boundary(np.array([1.8, 2.2], np.float32), sample)
    assert -line.bias / line.gain == pytest.approx(0.8 + 0.35 * (2 - 0.8))
    assert line.gain > 0
    same = boundary(np.array([0.1], np.float32), sample)  # a mark that is below most
    assert np.isfinite([same.gain, same.bias]).all()
    assert same.gain > 0
