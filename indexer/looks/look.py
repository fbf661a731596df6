"""A picture's look, made of a small version of it while it is indexed."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.geometry import Size, thumbnail_size
from indexer.looks.colours import packed

PREVIEW_SIDE: Final = 16
"""Pixels, of the longer side."""
PREVIEW_TYPE: Final = "image/webp"
_QUALITY: Final = 50
"""WebP: 114 bytes in the median and 158 at most but for one of a hundred, of 500 photos; JPEG takes 354, PNG 582, BMP
630, AVIF 377. Scaled up to the photo, it is 0.9 dB behind PNG."""

SIDE: Final = 64
"""Pixels that a look needs at most, of the longer side."""
_SAMPLED: Final = (
    48  # of that side for colours: 1,700 of a photo's pixels; picked, since a mean would mix their colours
)


@dataclass(frozen=True, slots=True)
class Look:
    preview: bytes
    """A WebP file of `PREVIEW_SIDE` px at most, to be shown scaled up until the picture itself is there."""
    colours: int
    """See `colours.packed`."""


def look_of(pixels: NDArray[np.uint8], full: Size) -> Look:
    """Of all of a picture, upright, as `(height, width, 3)` of any shape; its own size is `full`."""
    tiny = thumbnail_size(full, PREVIEW_SIDE)
    buffer = BytesIO()
    Image.fromarray(pixels).resize(tiny, Image.Resampling.BOX, reducing_gap=2.0).save(buffer, "WEBP", quality=_QUALITY)
    down, right = (max(1, side // _SAMPLED) for side in pixels.shape[:2])
    return Look(buffer.getvalue(), packed(pixels[::down, ::right]))
