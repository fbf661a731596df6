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
NEAREST: Final = 48
"""Texts of each picture whose scores are kept: were all of them alike the query, the last would stand for its rival."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The texts' embeddings."""

    vectors: Vectors
    """`(m, d)`, unit rows."""
    centre: Vectors
    """`(d,)`, their mean: what all texts share."""
    centred: Vectors
    """`(m, d)`, unit rows without it."""

    @classmethod
    def of(cls, vectors: Vectors) -> Vocabulary:
        centre = vectors.mean(axis=0)
        return cls(vectors, centre, _unit(vectors - centre))

    def others(self, query: Vectors) -> Mask:
        """`(m,)`: which texts say something else than the query, `(d,)`."""
        others: Mask = self.centred @ _unit(query - self.centre) < ALIKE
        return others


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """n pictures beside the vocabulary."""

    mean: Vectors
    """`(n,)`: of a picture's scores with all texts."""
    spread: Vectors
    """`(n,)`: their standard deviation."""
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
            scores.std(axis=1) + np.float32(1e-6),
            np.take_along_axis(nearest, order, axis=1),
            np.take_along_axis(texts, order, axis=1),
        )

    def at(self, rows: Rows) -> Seen:
        """Some of the pictures."""
        return Seen(self.mean[rows], self.spread[rows], self.nearest[rows], self.texts[rows])

    def rivals(self, others: Mask) -> Vectors:
        """`(n,)`: each picture's highest score with one of the texts that say something else."""
        place = others[self.texts].argmax(axis=1)
        place[~others[self.texts].any(axis=1)] = self.texts.shape[1] - 1
        rivals: Vectors = self.nearest[np.arange(len(place)), place]
        return rivals


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: Vectors = rows / np.maximum(lengths, np.float32(1e-12))
    return unit
