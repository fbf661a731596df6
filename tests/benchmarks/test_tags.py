from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.catalog_filters import filled
from benchmarks.tags import Labelled, best_cosine, f1, judged, writing
from indexer.catalog import Catalog


@pytest.fixture
def of() -> Labelled:
    """Two images of the first class, one of the second; cosines are the coordinates."""
    images = np.array([[0.9, 0.1], [0.8, 0.7], [0.2, 0.6]], np.float32)
    right = np.array([[True, False], [True, False], [False, True]])
    return Labelled("small", images, np.eye(2, dtype=np.float32), right)


def test_precision_and_recall_are_of_tags(of: Labelled) -> None:
    shown = of.images >= 0.65
    values = [line.value for line in judged(of, "x", shown)]
    assert values == pytest.approx([100 * 2 / 3, 100 * 2 / 3, 100 * 2 / 3])
    assert f1(np.zeros_like(shown), of.right) == 0


def test_the_best_threshold_is_one_that_none_beats(of: Labelled) -> None:
    best = f1(of.images >= best_cosine(of), of.right)
    assert best >= f1(of.images >= 0.85, of.right)


def test_tags_are_written_twice_and_taken_away_again(tmp_path: Path) -> None:
    with filled(tmp_path, 40):
        pass
    first, again = writing(40, tmp_path)
    assert "of 40 images written" in first.name
    assert first.value > 0
    assert again.value > 0
    with Catalog.open(tmp_path / "library") as catalog:
        assert not catalog.tags.lists()
