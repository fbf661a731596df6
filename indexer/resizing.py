"""Pixels -> pixels of another size, by the filters of open_clip's transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from indexer.geometry import Size

if TYPE_CHECKING:
    from indexer.images import Pixels


_ROUNDS_DOWN = 1 + 1e-12
"""torch takes `int(side * scale)` as the size, and 49 * (224 / 49) may be a bit less than 224."""


def resized(
    pixels: Pixels, extent: tuple[float, float], size: Size, interpolation: Literal["bicubic", "bilinear"]
) -> Pixels:
    """The left top part `extent` (width, height, less than a pixel smaller than `pixels`) at that size.

    torch's filter for uint8 is Pillow's, which open_clip takes: no value differs by more than 1. It has vector
    instructions, and needs no copy to begin with: 548 px to 224 take 0.42 ms, of Pillow 2.3.
    """
    import torch

    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    scaled = torch.nn.functional.interpolate(
        planes,
        scale_factor=tuple(_ROUNDS_DOWN * wanted / given for wanted, given in zip(size, extent, strict=True))[::-1],
        mode=interpolation,
        antialias=True,
        align_corners=False,
    )
    return scaled[0].permute(1, 2, 0).numpy()


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """Upright, by the EXIF orientation of what was stored."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
