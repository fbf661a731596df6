"""Questions with known answers, and how a cut-off is judged by them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.relevance import best_flat, calibration_error, f1_above, judge, of_absence, of_cut_off
from benchmarks.relevance_trials import Photos, halves, names_elsewhere, of_labels, of_words, pairs, thinned
from search.relevance.relevance import Relevance
from tests.palette import COLOURS, PaletteEncoder

DOG = ("A dog runs.", "The dog is here.", "It rests.")
ONCE = ("A dog, perhaps.", "A beach.", "The beach again.")
BEACH = ("A beach.", "The beach.", "Sand.")


def _photos(name: str, captions: list[tuple[str, ...]] | None = None, labels: list[str] | None = None) -> Photos:
    size = len(captions or labels or ())
    vectors = np.eye(size, 64, dtype=np.float32)
    return Photos(name, vectors, tuple(captions or [()] * size), tuple(labels or [None] * size))


def test_two_captions_make_a_match_and_one_leaves_it_open() -> None:
    trial = of_words(_photos("captioned", [DOG] * 5 + [ONCE] + [BEACH] * 5), ["zebra"])
    assert trial.texts == ("beach", "dog", "zebra")  # five photos or more, after an article: no "runs", no "sand"
    assert trial.truth[1].tolist() == [1] * 5 + [-1] + [0] * 5
    assert trial.truth[0].tolist() == [0] * 5 + [1] * 6
    assert trial.present.tolist() == [True, True, False]


def test_two_words_match_together_and_one_without_the_other() -> None:
    trial = of_words(_photos("captioned", [DOG + BEACH] * 5 + [DOG] * 2 + [ONCE + BEACH] + [BEACH]))
    chosen, together, without = pairs(trial)
    assert chosen == [(1, 0)]
    assert together.texts == ("dog and beach",)
    assert together.truth.tolist() == [[1] * 5 + [0] * 2 + [-1] + [0]]
    assert without.truth.tolist() == [[0] * 5 + [1] * 2 + [0] + [0]]


def test_each_class_is_asked_once_with_and_once_without_its_photos() -> None:
    photos = _photos("labelled", labels=["cat", "cat", "fox", "owl", "bee"])
    parts = halves(photos)
    assert all(part.texts == ("bee", "cat", "fox", "owl") for part in parts)
    assert (parts[0].present ^ parts[1].present).all()
    assert sum(part.truth.sum() for part in parts) == 5
    assert sum(len(part.vectors) for part in parts) == 5


def test_single_photos_of_a_class_stand_among_others() -> None:
    photos = _photos("labelled", labels=[name for name in ("cat", "fox", "owl", "bee", "dog") for _ in range(4)])
    alone = thinned(photos)
    assert alone.truth.sum(axis=1).max() == 1
    assert alone.present.sum() == 3
    among = thinned(photos, _photos("captioned", [DOG] * 3))
    assert "dog" not in among.texts  # the others show some
    assert among.truth.shape[1] == 3 + 3


def test_names_of_what_is_nowhere_said() -> None:
    other = _photos("other", labels=["dogs", "polar bear", "beach wagon"])
    assert names_elsewhere(_photos("captioned", [DOG, BEACH]), [other]) == ["polar bear"]


def test_the_best_flat_threshold_is_the_best() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((5, 20)).round(1).astype(np.float32)  # with ties
    truth = rng.integers(-1, 2, (5, 20)).astype(np.int8)
    threshold, best = best_flat(scores, truth)
    assert f1_above(scores, truth, threshold) == best
    assert best.value == max(f1_above(scores, truth, t).value for t in np.arange(-0.05, 1, 0.1))


def test_f1_and_calibration_by_hand() -> None:
    truth = np.array([[1, 1, 0, 0, -1]], np.int8)
    likely = np.array([[0.9, 0.3, 0.7, 0.01, 0.9]], np.float32)
    found = f1_above(likely, truth, 0.5)
    assert (found.value, found.precision, found.recall) == (50, 50, 50)
    assert f1_above(likely, truth, 0.95).value == 0
    assert calibration_error(likely, truth) == pytest.approx(100 * (0.1 + 0.7 + 0.7) / 3)


def test_a_trial_is_judged_as_the_engine_would() -> None:
    encoder = PaletteEncoder()
    names = [name for name in COLOURS for _ in range(12)]
    pixels = np.stack([np.full((16, 16, 3), COLOURS[name], np.uint8) for name in names])
    photos = Photos("colours", encoder.encode_images(pixels), ((),) * len(names), tuple(names))
    relevance = Relevance(lambda: encoder.encode_texts(list(COLOURS)))
    trial = of_labels(photos)
    lines = {line.name: line.value for line in of_cut_off(judge(trial, encoder.encode_texts(trial.texts), relevance))}
    [flat] = [value for name, value in lines.items() if "best flat" in name]
    assert flat == 100  # plain colours are easily told apart
    [points] = [value for name, value in lines.items() if "above the flat" in name]
    [ours] = [value for name, value in lines.items() if name.endswith("above our cut: F1, %")]
    assert points == pytest.approx(float(ours) - float(flat))
    parts = [judge(half, encoder.encode_texts(half.texts), relevance) for half in halves(photos)]
    right, *_ = of_absence("colours", parts)
    assert right.name.startswith("colours, 10 queries")
    assert 0 <= float(right.value) <= 100
