from __future__ import annotations

import numpy as np
import pytest

from indexer.duplicates import neighbours as module
from indexer.duplicates.neighbours import likely_cosine, neighbours
from tests.indexer.samples import unit_rows


def _pairs(vectors: np.ndarray, least: float, **options: int) -> set[tuple[int, int]]:
    return set(map(tuple, neighbours(vectors, least, lambda: None, **options).pairs.tolist()))


def test_up_to_a_size_it_is_every_neighbour_that_is_near_enough() -> None:
    vectors = unit_rows(200, 16)
    scores = vectors.astype(np.float32) @ vectors.astype(np.float32).T
    np.fill_diagonal(scores, -1)
    wanted = {(row, int(other)) for row in range(200) for other in np.argsort(-scores[row])[:5]}
    assert _pairs(vectors, -1, nearest=5) == wanted
    assert _pairs(vectors, 0.5, nearest=5) == {pair for pair in wanted if scores[pair] >= 0.5}
    assert len(_pairs(unit_rows(3), -1)) == 6  # fewer than asked for


def test_by_cells_near_pairs_are_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_UP_TO", 100)
    vectors = unit_rows(3000, 32)
    vectors[1500:] = (vectors[:1500] + unit_rows(1500, 32, seed=1) * 0.3).astype(np.float16)
    vectors /= np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True).astype(np.float16)
    asked: list[None] = []
    near = neighbours(vectors, 0.8, lambda: asked.append(None), cell=64)
    found = set(map(tuple, near.pairs.tolist()))
    there = sum((row, row + 1500) in found or (row + 1500, row) in found for row in range(1500))
    assert there >= 1485
    assert near.cosines.min() >= 0.8
    assert len(asked) > 10


def test_what_chance_puts_together() -> None:
    mean, deviation = likely_cosine(unit_rows(1000, 64))
    assert abs(mean) < 0.01
    assert deviation == pytest.approx(1 / 8, rel=0.05)
    assert likely_cosine(unit_rows(1)) == (0.0, 0.0)
