from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from search.classification import ENSEMBLE_TEMPLATES, class_vectors, classify, fill

CLASSES = np.eye(6, dtype=np.float32)
SCORES = np.array(
    [[9, 1, 0, 0, 0, 0], [9, 8, 7, 6, 5, 1], [0, 3, 3, 0, 0, 0], [1, 2, 0, 9, 8, 7]],
    dtype=np.float32,
)


def test_top_k_by_hand_with_the_tie_both_ways() -> None:
    found = classify(SCORES, CLASSES, np.array([0, 5, 1, 3]))
    assert found.top == {1: 75.0, 5: 75.0}
    assert found.against == {1: 50.0, 5: 75.0}
    assert found.in_favour == {1: 75.0, 5: 75.0}
    assert found.per_class == {0: 100.0, 1: 100.0, 3: 100.0, 5: 0.0}
    assert found.mean_per_class == 75.0
    assert found.intervals[1].low <= 75 <= found.intervals[1].high


def test_a_class_without_images_is_only_a_wrong_answer() -> None:
    found = classify(SCORES[:1], CLASSES, np.array([1]))
    assert found.per_class == {1: 0.0}


def test_no_images_are_no_number() -> None:
    found = classify(np.zeros((0, 6)), CLASSES, np.zeros(0, np.int64))
    assert isnan(found.top[1])
    assert isnan(found.mean_per_class)


def test_a_class_is_the_mean_of_its_prompts() -> None:
    vectors = {"a photo of a cat": [1.0, 0.0], "art of a cat": [0.0, 1.0], "a photo of a {x}": [0.0, 1.0]}
    vectors["art of a {x}"] = [0.0, 1.0]
    found = class_vectors(
        lambda texts: np.array([vectors[text] for text in texts], np.float32),
        ["cat", "{x}"],
        ["a photo of a {c}", "art of a {}"],
    )
    assert found.tolist() == [[pytest.approx(0.5**0.5)] * 2, [0.0, 1.0]]
    assert found.dtype == np.float32


def test_prompts_need_a_place() -> None:
    assert fill("a photo of {}", "a dog {c}") == "a photo of a dog {c}"
    assert all(fill(template, "dog") != template for template in ENSEMBLE_TEMPLATES)
    with pytest.raises(ValueError, match="to put a text in"):
        fill("a photo", "dog")
    with pytest.raises(ValueError, match="no prompts"):
        class_vectors(lambda texts: np.zeros((len(texts), 2), np.float32), ["a"], [])
