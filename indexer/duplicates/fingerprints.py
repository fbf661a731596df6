"""Fingerprints: pictures as 32 x 32 grey values and 8 x 8 colours, of which all is made that compares pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.images import FAST, Limits, Pixels, Preprocessing, decode

SIDE: Final = 32
"""A kilobyte a picture. The whole of it, stretched to a square: where a crop lies in it is then a box of fractions."""
COLOUR_SIDE: Final = 8
"""128 bytes more. Eyes and JPEG see colours less finely than brightness, too."""
VERSION: Final = 2
"""Of how they are made; those of another are made anew."""

Greys = NDArray[np.uint8]
"""`(n, 32, 32)`, 0 to 255."""
Colours = NDArray[np.uint8]
"""`(n, 8, 8, 2)`: Cb and Cr, 0 to 255; 128 is without colour."""

_SMALL = Preprocessing(SIDE, SIDE, "squash", "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    grey: NDArray[np.uint8]
    """`(32, 32)`: the brightness of RGB, as ITU-R 601 weighs it. Edits of colour hardly show in it."""
    colour: NDArray[np.uint8]
    """`(8, 8, 2)`"""

    def __bytes__(self) -> bytes:
        return self.grey.tobytes() + self.colour.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """What `bytes` made of one of this version."""
        values = np.frombuffer(data, np.uint8)
        grey, colour = np.split(values, [SIDE * SIDE])
        return cls(grey.reshape(SIDE, SIDE), colour.reshape(COLOUR_SIDE, COLOUR_SIDE, 2))


def fingerprint(data: bytes, limits: Limits) -> Fingerprint:
    """Of a picture file's bytes. Raises UnreadableImage."""
    return fingerprint_of(decode(data, _SMALL, limits, FAST).pixels)


def fingerprint_of(pixels: Pixels) -> Fingerprint:
    """Of `(32, 32, 3)` RGB."""
    parts = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    each = SIDE // COLOUR_SIDE
    cells = parts[:, :, 1:].reshape(COLOUR_SIDE, each, COLOUR_SIDE, each, 2).mean(axis=(1, 3))
    return Fingerprint(np.ascontiguousarray(parts[:, :, 0]), cells.round().astype(np.uint8))
