"""A query and what people said of its hits -> a better query. Pure functions.

Rocchio's sum of the query, the right ones and, taken away, the wrong ones, but in the space of this collection: each
mark is divided by the covariance of the images, so that what all of them share says nothing, and what tells them apart
says much (as in linear discriminant analysis, with the covariance shrunk to a sphere). Then all parts are brought to
one loudness, the deviation of their scores over the collection. What results is one vector: searching by it costs what
any search costs. Chosen on tiny-imagenet and fashion-products by `benchmarks/feedback.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import VectorIndex, Vectors

RIGHT, WRONG = 0.5, 0.25
"""Weights against 1 of the query."""
SHRINKAGE = 3.0
"""Of the mean variance, added to the variance in every direction."""
SAMPLE = 8192
"""Images that the moments are taken of, at most."""
_USUAL, _UP = 0.8, 0.45
_STEEP = 8.0
_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of a collection's embeddings."""

    mean: NDArray[np.float64]
    """`(dimension,)`."""
    covariance: NDArray[np.float64]
    """`(dimension, dimension)`."""
    inverse: NDArray[np.float64]
    """Of the covariance, shrunk."""

    @classmethod
    def of(cls, images: Vectors) -> Moments:
        """`(n, dimension)`; of none or one, as if they spread alike in all directions."""
        rows = images.astype(np.float64)
        dimension = rows.shape[1]
        if len(rows) < 2:
            return cls(np.zeros(dimension), np.eye(dimension) / dimension, np.eye(dimension))
        mean = rows.mean(axis=0)
        covariance = (rows - mean).T @ (rows - mean) / len(rows)
        usual = max(float(np.trace(covariance)) / dimension, _TINY)
        return cls(mean, covariance, np.linalg.inv(covariance / usual + SHRINKAGE * np.eye(dimension)))

    def loudness(self, direction: NDArray[np.float64]) -> float:
        """The standard deviation of the collection's scores along a direction."""
        return float(np.sqrt(max(float(direction @ self.covariance @ direction), _TINY)))


def marks_part(query: Vectors, right: Vectors, wrong: Vectors, moments: Moments) -> Vectors:
    """What is to be added to the unit query, `(dimension,)`, for marked images, `(r, dimension)` and `(w, dimension)`.

    One mark is enough, right or wrong; without any it is 0.
    """
    part = np.zeros(len(query))
    marks = [(RIGHT, right), (-WRONG, wrong)]
    directions = [
        moments.inverse @ (image - moments.mean) for _, images in marks for image in images.astype(np.float64)
    ]
    if not directions:
        return np.asarray(part, np.float32)
    loudness = np.sqrt(np.mean([moments.loudness(direction) ** 2 for direction in directions]))
    for weight, images in marks:
        if len(images):
            part += weight * moments.inverse @ (images.mean(axis=0, dtype=np.float64) - moments.mean)
    return np.asarray(part * moments.loudness(query.astype(np.float64)) / loudness, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """From which score on an image belongs to a concept: logit = gain * score + bias."""

    gain: float
    bias: float


def boundary(right: Vectors, sample: Vectors) -> Boundary:
    """Of scores along the concept's vector: from what `_USUAL` of the collection stay below, `_UP` of the way to the
    right marks, at their mean. Wrong marks have turned the vector already. `right` must not be empty.
    """
    high = float(right.mean())
    low = min(float(np.quantile(sample, _USUAL)), high - 1e-3)
    gain = _STEEP / (high - low)
    return Boundary(gain, -gain * (low + _UP * (high - low)))


def sampled(index: VectorIndex) -> Vectors:
    """`(n, dimension)`: at most `SAMPLE` of its vectors, always the same of the same ids."""
    ids = index.ids()
    if len(ids) > SAMPLE:
        ids = np.sort(np.random.default_rng(0).choice(ids, SAMPLE, replace=False))
    return index.vectors_of(ids)
