"""Neighbours stay neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.projection.layout import EARLY, LATE, lay_out


@pytest.fixture(scope="module")
def clusters() -> NDArray[np.float32]:
    """Five heaps of 24 unit rows of 16 dimensions."""
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.standard_normal((16, 5)))[0].T.astype(np.float32)
    rows = centres.repeat(24, axis=0) + 0.1 * rng.standard_normal((120, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_what_is_alike_lies_together_and_always_in_the_same_place(clusters: NDArray[np.float32]) -> None:
    steps: list[tuple[int, int]] = []
    points = lay_out(clusters, lambda done, total: steps.append((done, total)), threads=1)
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :10]
    assert ((nearest // 24) == (np.arange(120) // 24)[:, None]).mean() > 0.95
    assert steps[-1][1] == EARLY + LATE
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert np.array_equal(points, lay_out(clusters, lambda done, total: None, threads=1))


def test_copies_and_few_pictures_have_places_too(clusters: NDArray[np.float32]) -> None:
    copies = np.concatenate([clusters[:1].repeat(40, axis=0), clusters[40:60]])
    assert np.isfinite(lay_out(copies, lambda done, total: None, threads=1)).all()
    for number in range(4):
        points = lay_out(clusters[:number], lambda done, total: None)
        assert points.shape == (number, 2)
        assert np.isfinite(points).all()


def test_it_ends_where_it_is_told_to(clusters: NDArray[np.float32]) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lay_out(clusters, stop, threads=1)
