"""What is said of an answer as a whole: about how many images match, or that most likely none does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.vectors import Vectors

LIKELY: Final = 0.5
"""Hits above it are more likely than not to be what was asked for."""
CUT: Final = 0.1
"""Relevance ends where no hit is above it: F1 was highest there on the photos that the probabilities were fitted on."""
_WIDTH: Final = 1.28  # standard deviations to either side hold four fifths of a normal distribution
_TOGETHER: Final = 0.5
"""Of the number; set, not fitted: it holds the number of 52 % of the words and 98 % of the names reported on."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of images and the interval it is expected in; docs/relevance.md says how often it is."""

    about: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Claim:
    matches: Estimate
    no_match: bool
    """Whether nothing speaks for a match. No proof: docs/relevance.md says how often there is one all the same."""

    def in_words(self) -> str:
        """One line for a person."""
        if self.no_match:
            return "nothing here matches for sure; the nearest are shown"
        about = self.matches
        images = "image" if about.about == 1 else "images"
        return f"about {about.about:,} {images} may match ({about.low:,} to {about.high:,})"


def claimed(likely: Vectors, more: Vectors, scale: float, present: float) -> Claim:
    """From the probabilities of the pictures judged one by one, `(n,)`, and of a sample of all others, `(m,)`.

    Each of the sample stands for `scale` pictures. The sum of the probabilities is the number to expect. The interval
    takes in what chance does to it, and that probabilities err together within a query: what is wrong with one hit is
    wrong with its like. `present` is the probability that anything matches; where a hit is likely, something does.
    """
    number = float(likely.sum() + scale * more.sum())
    chance = float((likely * (1 - likely)).sum() + scale**2 * (more * (1 - more)).sum())
    width = _WIDTH * np.sqrt(chance + (_TOGETHER * number) ** 2)
    found = int((likely > LIKELY).sum())
    none = present <= LIKELY and not found
    low, high = max(min(1, found), _rounded(number - width)), _rounded(number + width)
    return Claim(Estimate(0 if none else _rounded(number), 0 if none else low, max(low, high)), none)


def _rounded(number: float) -> int:
    """To two digits: more would say more than is known."""
    whole = max(0, round(number))
    return int(float(f"{whole:.2g}"))
