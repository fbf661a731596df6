"""Pictures beside the vocabulary: what each scores with texts in general, and with the texts nearest to it.

Models give some pictures high scores with everything. A query has to be held against what else could be said of the
same picture, in the same model: that is what makes a score mean something, whatever the model's scale is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.vectors import Mask, Rows, Vectors

ALIKE: Final = 0.65
"""Texts whose cosine, less what all texts share, is above it say nearly the same as the query: they are no rivals."""
_LEAST: Final = np.float32(1e-6)
NEAREST: Final = 48
"""Texts of each picture whose scores are kept: were all of them alike the query, the last would stand for its rival."""


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """n pictures beside the texts that say something else than one query."""

    mean: Vectors
    """`(n,)`: of a picture's scores with all texts."""
    spread: Vectors
    """`(n,)`: their standard deviation."""
    rival: Vectors
    """`(n,)`: its highest score with one of the texts that say something else."""

    def at(self, rows: Rows) -> Beside:
        """Some of the pictures."""
        return Beside(self.mean[rows], self.spread[rows], self.rival[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The texts' embeddings."""

    vectors: Vectors
    """`(m, d)`, unit rows."""
    centre: Vectors
    """`(d,)`, their mean: what all texts share."""
    lengths: Vectors
    """`(m,)`, of the rows without it."""

    @classmethod
    def of(cls, vectors: Vectors) -> Vocabulary:
        centre = vectors.mean(axis=0)
        return cls(vectors, centre, np.maximum(np.linalg.norm(vectors - centre, axis=1), _LEAST))

    def others(self, query: Vectors) -> Mask:
        """`(m,)`: which texts say something else than the query, `(d,)`."""
        own = query - self.centre
        limit = np.float32(ALIKE) * np.maximum(np.linalg.norm(own), _LEAST)
        # Not of rows without the centre, kept beside these: what is read twice is in the cache the second time.
        others: Mask = self.vectors @ own - self.centre @ own < limit * self.lengths
        return others

    def beside(self, pictures: Vectors, others: Mask) -> Beside:
        """Of `(n, d)` unit rows: one matrix product, and nothing is kept."""
        scores = pictures @ self.vectors.T
        mean = scores.mean(axis=1)
        scores -= mean[:, None]
        spread = np.sqrt(np.vecdot(scores, scores) / np.float32(scores.shape[1])) + _LEAST
        if others.any():
            scores[:, ~others] = -np.inf
        return Beside(mean, spread, mean + scores.max(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """n pictures beside the whole vocabulary: what any query can be held against at once."""

    mean: Vectors
    """`(n,)`: as in `Beside`."""
    spread: Vectors
    """`(n,)`: as in `Beside`."""
    nearest: Vectors
    """`(n, NEAREST)`: its highest scores, falling."""
    texts: Rows
    """`(n, NEAREST)`: with which texts."""

    @classmethod
    def of(cls, pictures: Vectors, vocabulary: Vocabulary) -> Seen:
        """Of `(n, d)` unit rows. At 2,048 x 384 and 1,029 texts it takes 2 GFLOP."""
        scores = pictures @ vocabulary.vectors.T
        count = min(NEAREST, scores.shape[1])
        texts = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        nearest = np.take_along_axis(scores, texts, axis=1)
        order = np.argsort(-nearest, axis=1, kind="stable")
        return cls(
            scores.mean(axis=1),
            scores.std(axis=1) + _LEAST,
            np.take_along_axis(nearest, order, axis=1),
            np.take_along_axis(texts, order, axis=1),
        )

    def beside(self, others: Mask) -> Beside:
        """The nearest text is a rival but where it says the same as the query: there the next ones are looked at."""
        rival = self.nearest[:, 0].copy()
        alike = np.flatnonzero(~others[self.texts[:, 0]])
        if len(alike):
            rivals = others[self.texts[alike]]
            place = np.where(rivals.any(axis=1), rivals.argmax(axis=1), rivals.shape[1] - 1)
            rival[alike] = self.nearest[alike, place]
        return Beside(self.mean, self.spread, rival)
