"""A query and what people said of its hits -> a better query: one vector, so that searching by it costs no more.

Rocchio's sum of the query, the right ones and, taken away, the wrong ones, in the space of this collection: images are
divided by their covariance, so that what all of them share says nothing, and what tells them apart says much (as in
linear discriminant analysis, with the covariance shrunk to a sphere). All parts are brought to one loudness, the
deviation of their scores over the collection. How much the right ones count depends on how well the query did alone:
where it put them far down, it knows little. Then the best of what is found so are taken for right as well
(pseudo-relevance feedback), once. Chosen by `benchmarks/feedback.py` on the photos that docs/feedback.md names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, VectorIndex, Vectors

RIGHT, LEAST, MOST = 0.2, 0.25, 2.5
"""Against 1 of the query the right ones weigh `RIGHT * sqrt(number * depth)`, from `LEAST` to `MOST`; the depth is the
rank at which the query alone had found all of them."""
WRONG = 0.1
"""The wrong ones weigh `WRONG * sqrt(number)`."""
BEST = 10
"""Images that are taken for right after that; they weigh as much as the right ones, together."""
SHRINKAGE = 3.0
"""Of the mean variance, added to the variance in every direction."""
SAMPLE = 8192
"""Images that the moments are taken of, at most."""
_USUAL, _UP = 0.8, 0.35
_STEEP = 8.0
_SHARE = 20
"""Of a small collection one in so many is taken for right at most: all of it would say nothing."""
_TINY = 1e-9
_ROUNDING = 1e-5
"""Of cosines: the index has float16."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Embeddings of what was marked."""

    right: Vectors
    """`(r, dimension)`; may be empty, and so may the wrong ones."""
    wrong: Vectors
    """`(w, dimension)`."""
    wrong_ids: Ids
    """`(w,)`, so that they are not taken for right."""


def marks_part(query: Vectors, marks: Marks, index: VectorIndex, moments: Moments) -> Vectors:
    """What is to be added to the unit query, `(dimension,)`; without any marks it is 0. Searches the index twice."""
    weight, taught = LEAST, query.astype(np.float64)
    loudness = moments.loudness(taught)
    if len(marks.right):
        weight = _weight(query, marks.right, index)
        taught = taught + weight * loudness * _direction(marks.right, moments)
    if len(marks.wrong):
        taught = taught - WRONG * math.sqrt(len(marks.wrong)) * loudness * _direction(marks.wrong, moments)
    if len(marks.right) + len(marks.wrong) and len(best := _best(taught, marks.wrong_ids, index)):
        taught = taught + weight * moments.loudness(taught) * _direction(best, moments)
    return np.asarray(taught - query, np.float32)


def _direction(images: Vectors, moments: Moments) -> NDArray[np.float64]:
    """Towards some images, `(n, dimension)`, of loudness 1."""
    direction: NDArray[np.float64] = moments.inverse @ (images.mean(axis=0, dtype=np.float64) - moments.mean)
    return direction / moments.loudness(direction)


def _weight(query: Vectors, right: Vectors, index: VectorIndex) -> float:
    """The weight of the right ones."""
    deepest = math.ceil((MOST / RIGHT) ** 2 / len(right))  # below it the weight is `MOST` anyway
    [found] = index.search(query[None], deepest)
    lowest = float((right @ query).min()) + _ROUNDING
    depth = 1 + int((found.scores > lowest).sum())
    return min(MOST, max(LEAST, RIGHT * math.sqrt(len(right) * depth)))


def _best(taught: NDArray[np.float64], wrong: Ids, index: VectorIndex) -> Vectors:
    """`(n, dimension)` of the best images but for the wrong ones: few of them where there are few at all."""
    number = min(BEST, len(index) // _SHARE)
    unit = (taught / max(float(np.linalg.norm(taught)), _TINY)).astype(np.float32)
    [found] = index.search(unit[None], number + len(wrong))
    return index.vectors_of(found.ids[~np.isin(found.ids, wrong)][:number])


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
