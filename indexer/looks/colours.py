"""How much of a picture is of which colour, by the eleven basic colour terms of English (Berlin and Kay, 1969).

Where one term ends and the next begins is stated in OKLCh, that is OKLab (Ottosson, 2020) by lightness, chroma and hue.
The boundaries were placed between the colours that the 222,500 people of the xkcd colour survey (2010, CC0) gave names
ending in one of the terms. The rules call 90 % of those 558 colours as the survey does; what is left lies on a
boundary, such as `greenish yellow`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Colour = Literal["black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"]
COLOURS: Final[tuple[Colour, ...]] = get_args(Colour)
MONOCHROME: Final = "monochrome"
LOOKS: Final = (*COLOURS, MONOCHROME)
"""In the order of their five bits in a packed number, from the lowest: never to be changed."""

BRIGHT: Final = 0.1
USUAL: Final = {**dict.fromkeys(("black", "white", "grey", "brown"), 0.4), MONOCHROME: 1.0}
"""The share from which a picture is called by a colour unless a share is asked for: `BRIGHT`, and of these their own,
since a photo without any shadow, wood or skin is rare: of 2,000, 1,114 had a tenth of black, but 77 one of red."""

LEVELS: Final = 31
"""Shares are kept in 31sts, so that twelve of them fit into one integer of 64 bits, and one column of an index."""
_BITS: Final = 5

_CELLS: Final = 32  # of each of R, G and B: what is finer does not change a share by a 31st
_SPREAD: Final = 10  # of 255: between the channels of what has no colour; grey JPEGs that a camera tinted reach 6
_COLOURED: Final = 0.01  # share of pixels above it that may still be noise


def packed(pixels: NDArray[np.uint8]) -> int:
    """Of `(height, width, 3)` sRGB: the share of every colour, and whether there is none. The shares round to 31sts."""
    shares = shares_of(pixels)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    fields = [*shares.tolist(), float(np.mean(spread > _SPREAD) <= _COLOURED)]
    return sum(round(share * LEVELS) << _BITS * place for place, share in enumerate(fields))


def shares_of(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of `(height, width, 3)` sRGB: `(11,)`, the share of each of `COLOURS`; they add up to 1."""
    cells = (pixels.reshape(-1, 3) >> 3).astype(np.intp)
    terms = _table()[(cells[:, 0] * _CELLS + cells[:, 1]) * _CELLS + cells[:, 2]]
    return np.bincount(terms, minlength=len(COLOURS)) / len(terms)


def place_of(look: str) -> int:
    """How far a packed number has to be shifted to the right for the level of a colour, or `MONOCHROME`."""
    return _BITS * LOOKS.index(look)


def level(share: float) -> int:
    """1 to `LEVELS`: what a share of 0 to 1 is kept as."""
    return max(1, round(share * LEVELS))


def usual(look: str) -> int:
    """The level from which a picture is called by that colour."""
    return level(USUAL.get(look, BRIGHT))


def has(looks: int, look: str) -> bool:
    return looks >> place_of(look) & LEVELS >= usual(look)


def unpacked(looks: int) -> dict[str, float]:
    """The shares, by name, of what is there at all; monochrome with 1."""
    levels = {look: looks >> place_of(look) & LEVELS for look in LOOKS}
    return {look: amount / LEVELS for look, amount in levels.items() if amount}


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """`(32 * 32 * 32,)`: the place in `COLOURS` of each cell of RGB. Computing it takes 8 ms."""
    steps = np.linspace(0, 255, _CELLS)
    red, green, blue = np.meshgrid(steps, steps, steps, indexing="ij")
    return terms_of(np.stack([red, green, blue], axis=-1).reshape(-1, 3))


def terms_of(rgb: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Of `(n, 3)` sRGB, 0 to 255: `(n,)`, the place in `COLOURS` of what each colour is called."""
    light, chroma, hue = _oklch(rgb)

    def between(first: float, last: float) -> NDArray[np.bool_]:
        return (hue - first) % 360 < (last - first) % 360

    pale = chroma < 0.04
    rules: list[tuple[NDArray[np.bool_], Colour]] = [
        ((light < 0.17) | (pale & (light < 0.32)), "black"),
        (pale & (light >= 0.90), "white"),
        (pale, "grey"),
        (between(352, 12) & (light >= 0.54), "pink"),
        (between(352, 12) & (chroma < 0.10), "purple"),
        (between(12, 36) & (light >= 0.70), "pink"),
        (between(12, 36) & ((chroma < 0.10) | ((light < 0.42) & (chroma < 0.13))), "brown"),
        (between(352, 36), "red"),
        (between(36, 75) & ((light < 0.58) | (chroma < 0.12)), "brown"),
        (between(36, 75), "orange"),
        (between(75, 104) & ((light < 0.70) | (chroma < 0.12)), "brown"),
        (between(75, 104) | (between(104, 116) & (light >= 0.70) & (chroma >= 0.12)), "yellow"),
        (between(104, 184), "green"),
        (between(184, 288), "blue"),
        (between(328, 352) & (light >= 0.60), "pink"),
    ]
    conditions, colours = zip(*rules, strict=True)
    places = [COLOURS.index(colour) for colour in colours]
    return np.select(conditions, places, COLOURS.index("purple")).astype(np.uint8)


def _oklch(rgb: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Lightness 0 to 1, chroma 0 to 0.33, hue in degrees. The matrices are those of bottosson.github.io/posts/oklab."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lab = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    return lab[:, 0], np.hypot(lab[:, 1], lab[:, 2]), np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
