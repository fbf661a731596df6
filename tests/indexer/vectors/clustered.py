"""Vectors with the spread of embeddings, small: unit rows around centres whose shares follow a power law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def _unit(rows: Vectors) -> Vectors:
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32)


def _points(number: int, dimension: int, seed: int) -> Vectors:
    world = np.random.default_rng(1)
    spread = (np.arange(dimension) + 3.0) ** -0.5
    centres = world.standard_normal((20, dimension)) * spread
    rng = np.random.default_rng([2, seed])
    shares = 1 / (np.arange(20) + 2.0)
    own = rng.standard_normal((number, dimension)) * spread
    found: Vectors = (centres[rng.choice(20, number, p=shares / shares.sum())] + 0.7 * own).astype(np.float32)
    return found


def pictures(number: int, dimension: int = 32, *, seed: int = 0) -> NDArray[np.float16]:
    return _unit(_points(number, dimension, seed)).astype(np.float16)


def image_queries(number: int, dimension: int = 32) -> Vectors:
    return _unit(_points(number, dimension, 100))


def text_queries(number: int, dimension: int = 32, *, seed: int = 200) -> Vectors:
    """Beside the pictures, by a gap, and turned away from them."""
    gap = np.random.default_rng(3).standard_normal(dimension)
    blur = np.random.default_rng([4, seed]).standard_normal((number, dimension))
    return _unit((0.5 * _points(number, dimension, seed) + 0.3 * blur + 0.8 * gap).astype(np.float32))
