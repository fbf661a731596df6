"""From features to a probability: a logistic regression, fitted once and shipped as its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.vectors import Vectors
from search.relevance.features import Features


@dataclass(frozen=True, slots=True)
class Head:
    """p = 1 / (1 + exp(-(bias + features . weights)))."""

    weights: tuple[float, ...]
    """One for each column."""
    bias: float

    def probabilities(self, features: Features) -> Vectors:
        """`(n,)` of `(n, len(weights))`."""
        logits = features @ np.asarray(self.weights, np.float32) + np.float32(self.bias)
        likely: Vectors = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        return likely


HEAD: Final = Head(weights=(0.5148, 0.7320, 0.4506), bias=-4.7715)
"""Of `features`: that a picture matches. By benchmarks/relevance_fit.py; docs/relevance.md says on what."""
PRESENT: Final = Head(weights=(0.1818, 0.4374, 0.1931, -0.4517), bias=0.7295)
"""Of `of_the_best`: that anything matches. Its bias is such that in no set that it was fitted on more than 15 %
of the queries that have matches are called empty."""
