"""The few numbers that a hit's probability is made of; none of them depends on the scale of a model's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Vectors
from search.relevance.background import Beside

Features = NDArray[np.float32]
NAMES: Final = ("above the collection", "above the vocabulary", "above its rival")
"""Of the columns of `(n, 3)` features: how far a score stands, in standard deviations,

- above the mean of this query's scores over the collection,
- above the mean of this picture's scores with the vocabulary,
- above the highest of this picture's scores with a text that says something else (less than 0: that one is nearer)."""


@dataclass(frozen=True, slots=True)
class QueryNull:
    """How pictures in general score with one query: what a match has to stand out from."""

    mean: float
    spread: float

    @classmethod
    def of(cls, scores: Vectors) -> QueryNull:
        """From the `(n,)` scores of the collection, or of a sample of it."""
        return cls(float(scores.mean()), float(scores.std()) + 1e-6)


def features(scores: Vectors, beside: Beside, null: QueryNull) -> Features:
    """`(n, 3)`, as `NAMES` says, of n pictures with those scores."""
    found = np.empty((3, len(scores)), np.float32).T  # columns are written and read one by one
    found[:, 0] = (scores - np.float32(null.mean)) / np.float32(null.spread)
    found[:, 1] = (scores - beside.mean) / beside.spread
    found[:, 2] = (scores - beside.rival) / beside.spread
    return found


def of_the_best(found: Features, size: int) -> Features:
    """`(1, 4)`: the highest of each of the `(n, 3)` features, and sqrt(2 ln size).

    That is about how high the best of so many scores stands by chance, were they normal: the more pictures, the higher
    the best of them stands without a match.
    """
    chance = np.float32(np.sqrt(2 * np.log(max(2, size))))
    return np.concatenate([found.max(axis=0, initial=-30.0), [chance]]).astype(np.float32)[None]
