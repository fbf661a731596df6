"""A heat map as a picture: colours over the whole upright picture, or blended with it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.geometry import Size
from search.heat_map import FULL, HeatMap

COLOURS: Final = ((0, 34, 78), (65, 77, 107), (124, 123, 120), (188, 175, 111), (254, 232, 56))
"""Five steps of cividis (Nuñez, Anderton and Renslow 2018): dark blue to yellow, ever lighter, and the same to people
who see red and green alike."""
_OPACITY: Final = (0.62, 0.5)
"""Of the least and the most relevant: what does not matter recedes into dark blue, what does keeps its details."""
_UNSEEN: Final = ((120, 120, 120, 200), (150, 150, 150, 200))
"""The stripes of what the model's crop left out."""
_STRIPE: Final = 6
"""Pixels."""
_PEAK_SIDE: Final = 200
"""Pixels in which the most relevant place is looked for: half a percent of the picture."""


def overlay(heat_map: HeatMap, size: Size) -> Image.Image:
    """RGBA of that size, to be laid over the picture: colours where the model looked, grey stripes where it did not.

    A flat map has no colours: it is transparent.
    """
    strength = strengths(heat_map, size)
    stops = np.linspace(0, 1, len(COLOURS))
    shown = np.nan_to_num(strength)
    channels = [np.interp(shown, stops, [colour[channel] for colour in COLOURS]) for channel in range(3)]
    alpha = np.zeros_like(shown) if heat_map.flat else 255 * np.interp(shown, (0, 1), _OPACITY)
    pixels = np.stack([*channels, alpha], axis=-1).round().astype(np.uint8)
    across, down = np.arange(size[0]), np.arange(size[1])[:, None]
    stripes = np.array(_UNSEEN, np.uint8)[(across + down) // _STRIPE % 2]
    return Image.fromarray(np.where(np.isnan(strength)[..., None], stripes, pixels))


def strengths(heat_map: HeatMap, size: Size) -> NDArray[np.float32]:
    """`(height, width)`: relevance 0 to 1 where the model looked, NaN where it did not.

    0 is the mean of the map or less, 1 a relevance of `FULL` or more: a faint map is not stretched to look sharp.
    """
    return np.asarray(np.clip(relevance_at(heat_map, size) / FULL, 0, 1), dtype=np.float32)


def peak(heat_map: HeatMap) -> tuple[float, float]:
    """The most relevant place as fractions of the picture, from its left and its top."""
    grown = relevance_at(heat_map, (_PEAK_SIDE, _PEAK_SIDE))
    row, column = divmod(int(np.nanargmax(grown)), _PEAK_SIDE)
    return (column + 0.5) / _PEAK_SIDE, (row + 0.5) / _PEAK_SIDE


def relevance_at(heat_map: HeatMap, size: Size) -> NDArray[np.float32]:
    """`(height, width)`: the relevance of each pixel of the picture in that size, NaN where the model did not look.

    The frame is cropped to what of it is the picture, and put to where in the picture that is.
    """
    placed, (width, height) = heat_map.placed, size
    left, top, right, bottom = (
        round(fraction * side) for fraction, side in zip(placed.box, (width, height) * 2, strict=True)
    )
    left, top = min(left, width - 1), min(top, height - 1)
    right, bottom = max(left + 1, right), max(top + 1, bottom)
    rows, columns = heat_map.relevance.shape
    across, down = columns / heat_map.frame[0], rows / heat_map.frame[1]  # cells a pixel of the frame
    (x, y), (inner_width, inner_height) = placed.offset, placed.size
    box = x * across, y * down, min(columns, (x + inner_width) * across), min(rows, (y + inner_height) * down)
    inner = Image.fromarray(heat_map.relevance).resize((right - left, bottom - top), Image.Resampling.BILINEAR, box)
    grown = np.full((height, width), np.nan, np.float32)
    grown[top:bottom, left:right] = np.asarray(inner)
    return grown


def blended(heat_map: HeatMap, picture: Image.Image) -> Image.Image:
    """The upright picture, RGB, under the map of its size."""
    return Image.alpha_composite(picture.convert("RGBA"), overlay(heat_map, picture.size)).convert("RGB")
