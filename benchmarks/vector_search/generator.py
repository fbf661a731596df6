"""Unit vectors with the spread of a CLIP model's embeddings, as many as wanted, from a seed.

    picture = unit(cone + topic + own)            the model's common direction, its topic's centre, its own part
    text    = unit(other cone + a part of (topic + own) of a picture + blur)

- `topic`: one of `size / 80` centres (at least 20); topic number c has a share of 1 / (c + 10), a power law with a few
  large ones.
- Centres and own parts are Gaussian, with a standard deviation of (i + 3)^-decay along direction i of a random
  basis: a few directions carry most of the spread, as in every trained model, and none is an axis.
- Texts lie in a cone of their own (the modality gap), have only a part of their picture's topic and own part, and point
  elsewhere besides: their neighbours are further away and less told apart, out of the pictures' distribution.

The figures of `Spread` were chosen so that these are about as hard to search as photos embedded by `mini`, and texts
harder than its captions: `likeness.py` compares, docs/vector-search.md has the outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

CHUNK = 1 << 16
"""Rows made at a time."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths are shares of a vector before it is made a unit vector."""

    decay: float = 0.65
    cone: float = 0.6
    topic: float = 0.8
    own: float = 0.7
    shared: float = 0.7
    """Of a text with its picture."""
    blur: float = 0.35
    """Of a text, in directions of its own."""
    pictures_a_topic: int = 80
    steepness: float = 1.0
    """Exponent of the power law of topic sizes."""


class World:
    """A distribution of pictures and texts. Draws with different `stream` are independent; the same repeat."""

    def __init__(self, size: int, dimension: int, *, seed: int = 0, spread: Spread | None = None) -> None:
        self.spread = spread or Spread()
        self.dimension = dimension
        self._seed = seed
        rng = np.random.default_rng([seed, size, dimension])
        self.topics = max(20, size // self.spread.pictures_a_topic)
        shares = 1.0 / (np.arange(self.topics) + 10.0) ** self.spread.steepness
        self.shares = shares / shares.sum()
        deviation = (np.arange(dimension) + 3.0) ** -self.spread.decay
        self._deviation = (deviation / np.linalg.norm(deviation)).astype(np.float32)
        basis, _ = np.linalg.qr(rng.standard_normal((dimension, dimension)))
        self._basis = basis.astype(np.float32)
        self._centres = self._gaussian(rng, self.topics) * np.float32(self.spread.topic)
        directions, _ = np.linalg.qr(rng.standard_normal((dimension, 2)))
        self._cone, self._text_cone = self.spread.cone * directions.T.astype(np.float32)

    def pictures(self, count: int, *, stream: int = 0) -> Vectors:
        """`(count, dimension)` unit rows."""
        found = np.empty((count, self.dimension), np.float32)
        for start, rows in self.chunks_of_pictures(count, stream=stream):
            found[start : start + len(rows)] = rows
        return found

    def chunks_of_pictures(self, count: int, *, stream: int = 0) -> Iterator[tuple[int, Vectors]]:
        """The same in parts, each with the number of its first row."""
        for rows, rng in self._chunks(count, stream):
            yield rows.start, _unit(self._cone + self._insides(rng, rows.stop - rows.start) @ self._basis)

    def texts(self, count: int, *, stream: int = 0) -> Vectors:
        """`(count, dimension)` unit rows, each about a picture that is not among those of any other stream."""
        found = np.empty((count, self.dimension), np.float32)
        for rows, rng in self._chunks(count, stream):
            there = rows.stop - rows.start
            inside = self.spread.shared * self._insides(rng, there) + self.spread.blur * self._gaussian(rng, there)
            found[rows] = _unit(self._text_cone + inside @ self._basis)
        return found

    def _insides(self, rng: np.random.Generator, count: int) -> Vectors:
        """Topic and own part of `count` pictures, along the basis."""
        topics = rng.choice(self.topics, count, p=self.shares)
        own = self._gaussian(rng, count)
        own *= np.float32(self.spread.own)
        own += self._centres[topics]
        return own

    def _gaussian(self, rng: np.random.Generator, count: int) -> Vectors:
        """Of length 1 in the mean."""
        return rng.standard_normal((count, self.dimension), np.float32) * self._deviation

    def _chunks(self, count: int, stream: int) -> Iterator[tuple[slice, np.random.Generator]]:
        """Each chunk has a generator of its own, so that the first rows do not depend on how many follow."""
        for start in range(0, count, CHUNK):
            yield slice(start, min(start + CHUNK, count)), np.random.default_rng([self._seed, stream, start])


def _unit(rows: Vectors) -> Vectors:
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
