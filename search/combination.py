"""How the terms of a query become one vector, of which each has its part.

Measured in docs/queries.md, with `benchmarks/composed.py` and `benchmarks/negation.py`: the plain sum is as good as
centring the kinds or going along the arc between them, and what is not to be seen is best subtracted. Sums also keep
the score a cosine, the search exact, and the share of each term a number that needs no explanation.
"""

from __future__ import annotations

import numpy as np

from indexer.errors import InvalidQuery
from indexer.vectors import Mask, Vectors

_NOTHING = 1e-3
"""A sum of unit vectors this short is rounding, not a direction."""


def combined(vectors: Vectors, weights: Vectors, are_texts: Mask) -> Vectors:
    """`(terms, dimension)` unit rows -> parts of the query's vector: they add up to it, and it has unit length.

    Wanted texts are averaged among themselves by their weights, and so are wanted pictures: three pictures of one
    thing count as much as one, the largest of their weights. Both are added, and what has a weight below 0 is
    subtracted. Raises `InvalidQuery` where nothing is left.
    """
    parts = vectors * weights[:, None]
    for kind in (are_texts, ~are_texts):
        wanted = kind & (weights > 0)
        if np.count_nonzero(wanted) > 1:
            parts[wanted] *= weights[wanted].max() / _length(parts[wanted])
    return np.asarray(parts / _length(parts), np.float32)


def shares(parts: Vectors, images: Vectors) -> Vectors:
    """`(n, terms)`: what each term gives to, or takes from, the cosine of each of `(n, dimension)` images.

    Not a matrix product, which rounds in another way with other rows beside: a hit's shares are always the same.
    """
    found: Vectors = np.vecdot(images[:, None], parts)
    return found


def _length(parts: Vectors) -> float:
    length = float(np.linalg.norm(parts.sum(axis=0)))
    if not length > _NOTHING * float(np.abs(parts).max(initial=0)):
        raise InvalidQuery("the weights of the terms cancel each other out; change one of them")
    return length
