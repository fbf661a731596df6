"""Whether two pictures that agree in brightness agree in colour: a red shoe and a blue one have the same grey values.

What is compared is how colours (Cb, Cr) differ within each picture, by normalised correlation, so that saturation and a
mild white balance are not seen; where the mean colour is another one, how they differ from grey has to agree, too. A
picture all of one tint has only that to compare, and one without colour has nothing: a grey copy is a light edit, of
whichever layout of colours it is most like.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.duplicates.alignment import Boxes, Floats, averages
from indexer.duplicates.fingerprints import COLOUR_SIDE, Colours
from indexer.duplicates.perceptual_hash import Pairs

_CELLS: Final = 4
"""A side. With 8 the cells of a crop hardly lie on those of its scene: crops agree by 0.69 at least instead of 0.89."""
_VARIED: Final = 1.0
"""Levels of 255, root mean square: what varies less is one tint, with the noise of its encoding."""
_TINTED: Final = 3.0
"""Levels of 255, root mean square: what is less far from grey is without colour."""
_SHIFT: Final = 15.0
"""Levels of 255 by which the mean colour may be another: red and blue 10 % up and down shift a photo by 13 at most."""
_NONE = 128
_PAIRS = 4096


def agreements(
    colours: Colours, template: NDArray[np.int64], scene: NDArray[np.int64], boxes: Boxes, check: Callable[[], None]
) -> Floats:
    """Of each pair of rows of `(n, 8, 8, 2)`: all of the template against the box of the scene, -1 to 1; NaN
    where one of them is without colour.
    """
    found = np.empty(len(template), np.float32)
    whole = np.array([[0, 0, 1, 1]], np.float32)
    for start in range(0, len(template), _PAIRS):
        check()
        some = slice(start, start + _PAIRS)
        found[some] = _agreement(_seen(colours[template[some]], whole), _seen(colours[scene[some]], boxes[some]))
    return found


def coloured(colours: Colours) -> NDArray[np.bool_]:
    """`(n,)`: whether a picture has colours to compare."""
    found = np.empty(len(colours), np.bool_)
    for start in range(0, len(colours), _PAIRS):
        cells = colours[start : start + _PAIRS].reshape(-1, COLOUR_SIDE**2, 2).astype(np.float32) - _NONE
        found[start : start + _PAIRS] = (_strength(cells) >= _TINTED) | (_strength(_centred(cells)) >= _VARIED)
    return found


def mistaken(pairs: Pairs, details: Floats, agree: Floats, coloured: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Links of a picture without colour to others than its most likely original, and what has the colours of that.

    `agree` are the `agreements` of these pairs, `coloured` is of all pictures. Without this a grey shoe would make one
    group of a red one and a blue one.
    """
    blind = np.isnan(agree) & (coloured[pairs].sum(axis=1) == 1)
    alike = set(map(tuple, pairs[~blind].tolist()))
    rows = np.flatnonzero(blind)
    rows = rows[np.argsort(-details[rows], kind="stable")]
    found = np.zeros(len(pairs), np.bool_)
    original: dict[int, int] = {}
    for row, pair in zip(rows.tolist(), pairs[rows].tolist(), strict=True):
        grey, other = sorted(pair, key=coloured.__getitem__)
        likely = original.setdefault(grey, other)
        found[row] = other != likely and (min(other, likely), max(other, likely)) not in alike
    return found


def _seen(colours: Colours, boxes: Boxes) -> Floats:
    """`(n, 8, 8, 2)` through `(n, 4)` or `(1, 4)` -> `(n, 16, 2)`, 0 for what is without colour."""
    across = averages(boxes[:, 0], boxes[:, 2], _CELLS, COLOUR_SIDE)
    down = averages(boxes[:, 1], boxes[:, 3], _CELLS, COLOUR_SIDE)
    rows = down @ (colours.reshape(-1, COLOUR_SIDE, 2 * COLOUR_SIDE).astype(np.float32) - _NONE)
    cells = across[:, None] @ rows.reshape(-1, _CELLS, COLOUR_SIDE, 2)
    return np.asarray(cells.reshape(-1, _CELLS * _CELLS, 2), np.float32)


def _agreement(first: Floats, second: Floats) -> Floats:
    varied, strength = _cosine(_centred(first), _centred(second))
    tinted, tint = _cosine(first, second)
    shift = np.linalg.norm(first.mean(axis=1) - second.mean(axis=1), axis=1)
    varied = np.where(shift <= _SHIFT, varied, np.minimum(varied, tinted))
    return np.where(strength >= _VARIED, varied, np.where(tint >= _TINTED, tinted, np.float32(np.nan)))


def _cosine(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """And the lower of their strengths."""
    strengths = _strength(first), _strength(second)
    product = (first * second).sum(axis=2).mean(axis=1)
    return product / np.maximum(strengths[0] * strengths[1], 1e-6), np.minimum(*strengths)


def _strength(cells: Floats) -> Floats:
    """`(n, cells, 2)` -> `(n,)`: root mean square of the cells' lengths."""
    return np.asarray(np.sqrt((cells**2).sum(axis=2).mean(axis=1)), np.float32)


def _centred(cells: Floats) -> Floats:
    return np.asarray(cells - cells.mean(axis=1, keepdims=True), np.float32)
