"""Names for parts of a map, as a map of a country has them: few for all of it, more when somebody looks closer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.projection.layout import Points
from indexer.vectors import Ids, Vectors
from indexer.vectors.faiss_library import load_faiss

LEVELS: Final = (8, 32, 128)
"""Regions that a map is divided into, at most, from far away to close by."""
_FEWEST = 12
"""Pictures a region, on average: a map of few pictures has fewer regions and levels."""


@dataclass(frozen=True, slots=True)
class Region:
    level: int
    """Place in `LEVELS`."""
    name: str
    x: float
    """Where its name stands: among its own pictures, in the units of the points."""
    y: float
    images: int


def name_regions(points: Points, vectors: Vectors, names: Sequence[str], texts: Vectors) -> list[Region]:
    """Regions of `(n, 2)` points by k-means, each with the name that says best what sets it apart from the others.

    Args:
        points: `(n, 2)`.
        vectors: `(n, dimension)` unit rows, of the same images.
        names: what regions may be called.
        texts: `(len(names), dimension)` unit rows: what the names mean.
    """
    found: list[Region] = []
    for level, most in enumerate(LEVELS):
        count = min(most, len(points) // _FEWEST)
        if count < 2 or (level and count <= LEVELS[level - 1]):
            break
        homes = _divided(points, count)
        found += _named(level, homes, points, vectors, names, texts)
    return found


def _divided(points: Points, count: int) -> Ids:
    """`(n,)`: the region of each point."""
    means = load_faiss().Kmeans(2, count, seed=0, niter=20, min_points_per_centroid=1)
    means.train(np.ascontiguousarray(points))
    return np.asarray(means.index.search(np.ascontiguousarray(points), 1)[1][:, 0], np.int64)


def _named(
    level: int, homes: Ids, points: Points, vectors: Vectors, names: Sequence[str], texts: Vectors
) -> list[Region]:
    there = np.unique(homes)
    means = np.stack([vectors[homes == home].mean(axis=0) for home in there])
    # Less what the whole map shows, of pictures and of names alike: words that are near to everything name nothing.
    apart, said = means - means.mean(axis=0), texts - texts.mean(axis=0)
    scores = (apart / _lengths(apart)) @ (said / _lengths(said)).T
    regions = []
    for home, name in zip(there, _each_once(scores), strict=True):
        own = points[homes == home]
        middle = own[np.argmin(((own - np.median(own, axis=0)) ** 2).sum(axis=1))]
        regions.append(Region(level, names[name], float(middle[0]), float(middle[1]), len(own)))
    return regions


def _each_once(scores: Vectors) -> list[int]:
    """For each row the column that suits it best and suits no other row better. More rows than columns share."""
    chosen = [-1] * len(scores)
    taken: set[int] = set()
    for place in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(place), scores.shape[1])
        if chosen[row] < 0 and (column not in taken or len(taken) == scores.shape[1]):
            chosen[row] = column
            taken.add(column)
    return chosen


def _lengths(rows: Vectors) -> Vectors:
    return np.asarray(np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)
