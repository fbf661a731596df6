"""What an encoder misses when a part of a picture is covered: maps that need nothing of how the encoder is built."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Encoder

CELLS: Final = 7
"""Rows and columns of a map."""
_WINDOW: Final = 2
"""Cells that are covered at once in each direction: a cover of one hides too little to be missed."""
_STEPS: Final = CELLS + _WINDOW - 1


def occlusion_maps(encoder: Encoder, pixels: NDArray[np.uint8], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the dot product with each of n queries falls when a cell of one picture is covered: `(n, CELLS, CELLS)`.

    `pixels` is `(height, width, 3)` as the model takes it, `queries` is `(n, dimension)`. A window of two by two cells
    in the picture's mean colour goes over the picture, 64 pictures in all; a cell has the mean of the four windows
    that cover it.
    """
    covered = _covered(pixels)
    batches = [covered[start : start + encoder.batch_size] for start in range(0, len(covered), encoder.batch_size)]
    scores = queries @ np.concatenate([encoder.encode_images(batch) for batch in [pixels[None], *batches]]).T
    falls = (scores[:, :1] - scores[:, 1:]).reshape(-1, _STEPS, _STEPS)
    places = [(i, j) for i in range(_WINDOW) for j in range(_WINDOW)]
    windows = [falls[:, i : i + CELLS, j : j + CELLS] for i, j in places]
    return np.asarray(np.mean(windows, axis=0), dtype=np.float32)


def _covered(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with each window covered, row by row; windows over an edge cover what there is."""
    height, width = pixels.shape[:2]
    rows = np.linspace(0, height, CELLS + 1).round().astype(int)
    columns = np.linspace(0, width, CELLS + 1).round().astype(int)
    pictures = np.repeat(pixels[None], _STEPS**2, axis=0)
    for number, picture in enumerate(pictures):
        i, j = divmod(number, _STEPS)
        top, bottom = rows[max(0, i - _WINDOW + 1)], rows[min(CELLS, i + 1)]
        left, right = columns[max(0, j - _WINDOW + 1)], columns[min(CELLS, j + 1)]
        picture[top:bottom, left:right] = pixels.mean(axis=(0, 1))
    return pictures
