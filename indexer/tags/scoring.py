"""How likely an image shows what a label says, from embeddings alone. Pure functions.

A cosine alone says little: some words are near to every picture, some pictures near to every word. Two things are
looked at. How far is the label above its own usual cosine in this collection: z = (s - centre) / spread, both robust.
And how far does it stand out among a fixed list of other labels for this picture: w = (s - mean) / deviation. Then

    score = 1 / (1 + exp(-(Z * z + W * w + OFFSET)))

What most of a collection shows must not become its own background, so that no centre or spread may be larger than the
third quartile of the labels' of that list. Both z and w are linear in s: tagging is one matrix product. The three
numbers were fitted on tiny-imagenet, whole and in parts of few classes (`benchmarks/tags.py --fit`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, Vectors

Z, W, OFFSET = 1.15, 0.68, -6.91
SHOWN = 0.14
"""The score from which on a label is shown, unless it has a threshold of its own: the best mean F1 where fitted."""
MOST = 10
"""Tags an image has of one list, at most: those with the highest scores."""
_CAP = 0.75
_FEW = 20
"""Images that the middle of all labels counts for in the centre of each: a handful of images says little of usual."""
_TINY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What labels have to stand out from: the moments of a list's embeddings."""

    mean: Vectors
    """`(dimension,)`."""
    covariance: Vectors
    """`(dimension, dimension)`."""

    @classmethod
    def of(cls, labels: Vectors) -> Background:
        mean = labels.mean(axis=0)
        around = labels - mean
        return cls(mean, np.asarray(around.T @ around / len(labels), np.float32))

    def of_images(self, images: Vectors) -> tuple[Vectors, Vectors]:
        """The mean of the list's cosines with each of `(n, dimension)` images, and their standard deviation."""
        variance = ((images @ self.covariance) * images).sum(axis=1)
        return images @ self.mean, np.sqrt(np.maximum(variance, _TINY**2), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Labels that can be scored: logit = gain * s + tilt * (s - mean) / deviation + bias. Each is `(labels,)`."""

    gain: Vectors
    tilt: Vectors
    bias: Vectors

    def logits(self, cosines: Vectors, mean: Vectors, deviation: Vectors) -> Vectors:
        """`(n, labels)`; writes over `cosines`."""
        standing = 1 / deviation
        logits = cosines * self.gain
        if self.tilt.any():
            cosines -= mean[:, None]
            cosines *= standing[:, None]
            cosines *= self.tilt
            logits += cosines
        logits += self.bias
        return logits


def calibrated(sample: Vectors, labels: Vectors, background: Vectors) -> Lines:
    """Of `(labels, dimension)` unit rows, against a sample of the collection's images, `(n, dimension)`.

    `background` is the fixed list's, `(m, dimension)`. Without images, against nothing: centres are 0.
    """
    own_centre, own_spread = _usual(sample @ labels.T)
    cosines = sample @ background.T
    usual_centre, usual_spread = _usual(cosines)
    few = _FEW / (_FEW + len(sample))
    centre = (1 - few) * np.minimum(own_centre, np.quantile(usual_centre, _CAP)) + few * np.median(usual_centre)
    within = np.clip(own_spread, *np.quantile(usual_spread, (0.1, _CAP)))
    # One image has no spread of its own: what its cosines with the background spread over is of that order.
    across = float(cosines.std(axis=1).mean()) if len(sample) else 1.0
    spread = np.maximum((1 - few) * within + few * max(float(np.median(usual_spread)), across), _TINY)
    gain = np.asarray(Z / spread, np.float32)
    bias = np.asarray(OFFSET - Z * centre / spread, np.float32)
    return Lines(gain, np.full(len(labels), W, np.float32), bias)


def _usual(cosines: Vectors) -> tuple[Vectors, Vectors]:
    """Median and scaled median deviation of each column."""
    if not len(cosines):
        return np.zeros(cosines.shape[1], np.float32), np.ones(cosines.shape[1], np.float32)
    middle = np.median(cosines, axis=0)
    return np.asarray(middle, np.float32), np.asarray(1.4826 * np.median(np.abs(cosines - middle), axis=0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Tags of a block of images, by image and then by list, best first."""

    rows: Ids
    """The image's row in the block."""
    labels: Ids
    """The label's row among the labels."""
    scores: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    vectors: Vectors
    """`(labels, dimension)`."""
    lines: Lines
    thresholds: NDArray[np.float64]
    """`(labels,)`, of the score."""
    lists: Ids
    """`(labels,)`: which list each is of."""
    background: Background

    def tags(self, images: Vectors) -> Found:
        """Of `(n, dimension)` unit rows: what reaches its threshold, at most `MOST` of each list."""
        mean, deviation = self.background.of_images(images)
        logits = self.lines.logits(images @ self.vectors.T, mean, deviation)
        least = np.asarray(np.log(self.thresholds) - np.log1p(-self.thresholds), np.float32)
        rows, labels = np.nonzero(logits >= least)
        reached = logits[rows, labels]
        order = np.lexsort((-reached, self.lists[labels], rows))
        rows, labels, reached = rows[order], labels[order], reached[order]
        keep = _places(rows, self.lists[labels]) < MOST
        return Found(rows[keep], labels[keep], probability(reached[keep]))


def probability(logits: Vectors) -> Vectors:
    """1 / (1 + exp(-x)), in a form that never overflows."""
    return np.asarray(0.5 * (1 + np.tanh(logits / 2)), np.float32)


def _places(rows: Ids, lists: Ids) -> Ids:
    """The place of each among those of its image and list, counted from 0; they stand together."""
    if not len(rows):
        return np.empty(0, np.int64)
    begins = np.flatnonzero(np.r_[True, (rows[1:] != rows[:-1]) | (lists[1:] != lists[:-1])])
    places: Ids = np.arange(len(rows)) - np.repeat(begins, np.diff(np.r_[begins, len(rows)]))
    return places
