"""Fingerprints: pictures as 32 x 32 grey values, from which everything is made that compares pixels."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.images import FAST, Limits, Pixels, Preprocessing, decode

SIDE: Final = 32
"""A kilobyte a picture. The whole of it, stretched to a square: where a crop lies in it is then a box of fractions."""
VERSION: Final = 1
"""Of how they are made; those of another are made anew."""

Greys = NDArray[np.uint8]
"""`(n, 32, 32)`, 0 to 255."""

_SMALL = Preprocessing(SIDE, SIDE, "squash", "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def fingerprint(data: bytes, limits: Limits) -> NDArray[np.uint8]:
    """A picture file's bytes -> `(32, 32)`. Raises UnreadableImage."""
    return grey(decode(data, _SMALL, limits, FAST).pixels)


def grey(pixels: Pixels) -> NDArray[np.uint8]:
    """The brightness of RGB, as ITU-R 601 weighs it: edits of colour hardly show in it."""
    return np.asarray(Image.fromarray(pixels).convert("L"))
