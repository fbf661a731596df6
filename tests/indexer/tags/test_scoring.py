from __future__ import annotations

import numpy as np
import pytest

from indexer.tags.scoring import MOST, OFFSET, Background, Lines, Scorer, W, Z, calibrated
from indexer.vectors import Vectors


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _random(rng: np.random.Generator, number: int, dimension: int = 32) -> Vectors:
    return _unit(rng.standard_normal((number, dimension)).astype(np.float32))


def _scorer(labels: Vectors, sample: Vectors, background: Vectors, threshold: float = 0.14) -> Scorer:
    return Scorer(
        vectors=labels,
        lines=calibrated(sample, labels, background),
        thresholds=np.full(len(labels), threshold),
        lists=np.zeros(len(labels), np.int64),
        background=Background.of(background),
    )


def test_the_moments_of_the_background_are_those_of_its_cosines(rng: np.random.Generator) -> None:
    images, labels = _random(rng, 5), _random(rng, 40)
    mean, deviation = Background.of(labels).of_images(images)
    cosines = images @ labels.T
    np.testing.assert_allclose(mean, cosines.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(deviation, cosines.std(axis=1), atol=1e-5)


def test_the_score_is_the_formula_of_the_docstring(rng: np.random.Generator) -> None:
    """With so many images and labels all alike, no cap and no shrinkage is in the way."""
    sample, labels, images = _random(rng, 4000), _random(rng, 60), _random(rng, 3)
    found = _scorer(labels, sample, labels, threshold=1e-9).tags(images)
    row, label, score = int(found.rows[0]), int(found.labels[0]), float(found.scores[0])
    usual = sample @ labels[label]
    spread = 1.4826 * np.median(np.abs(usual - np.median(usual)))
    cosines = images[row] @ labels.T
    z = (cosines[label] - np.median(usual)) / spread
    w = (cosines[label] - cosines.mean()) / cosines.std()
    assert np.log(score / (1 - score)) == pytest.approx(Z * z + W * w + OFFSET, abs=0.35)


def test_a_word_that_is_near_to_everything_is_no_tag_of_everything(rng: np.random.Generator) -> None:
    """All images lie in one direction, and one label nearly there: by its cosine it would always win."""
    axis = np.eye(32, dtype=np.float32)
    images = _unit(3 * axis[0] + _random(rng, 300))
    labels = _unit(np.vstack([axis[0] + 0.02 * _random(rng, 1), _random(rng, 41)]))
    special = _unit(3 * axis[0] + 1.2 * labels[1:2])
    scorer = _scorer(labels, images, labels)
    found = scorer.tags(np.vstack([special, images[:20]]))
    assert int((special @ labels.T).argmax()) == 0
    assert 1 in found.labels[found.rows == 0]


def test_what_all_of_a_collection_shows_is_still_its_tag(rng: np.random.Generator) -> None:
    labels = _random(rng, 60)
    images = _unit(labels[7] + 0.6 * _random(rng, 300))
    found = _scorer(labels, images, labels).tags(images)
    assert np.mean([7 in found.labels[found.rows == row] for row in range(300)]) > 0.9


@pytest.mark.parametrize("number", [0, 1, 5])
def test_few_images_give_finite_scores(rng: np.random.Generator, number: int) -> None:
    labels = _random(rng, 20)
    lines = calibrated(_random(rng, number), labels, labels)
    assert all(np.isfinite(values).all() for values in (lines.gain, lines.tilt, lines.bias))
    assert lines.gain.max() < 100


def test_an_image_has_its_best_tags_of_each_list_and_no_more(rng: np.random.Generator) -> None:
    labels, lists = _random(rng, 40), np.repeat([0, 1], [30, 10])
    ones = np.ones(40, np.float32)
    scorer = Scorer(labels, Lines(ones, 0 * ones, 0 * ones), np.full(40, 0.01), lists, Background.of(labels))
    images = _random(rng, 3)
    found = scorer.tags(images)
    for row in range(3):
        for number in (0, 1):
            own = np.flatnonzero(lists == number)
            best = own[np.argsort(-(images[row] @ labels[own].T))][:MOST]
            here = (found.rows == row) & (lists[found.labels] == number)
            assert found.labels[here].tolist() == best.tolist()
            assert (np.diff(found.scores[here]) <= 0).all()
