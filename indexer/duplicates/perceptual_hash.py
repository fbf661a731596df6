"""Perceptual hashes: 64 bits that re-encoding, resizing and light edits hardly change (pHash, Zauner 2010).

Each bit says whether one of the 64 lowest frequencies of the grey picture, of its discrete cosine transform, is above
their median. Near hashes are found by banding: those that share any of four runs of 16 bits are compared.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.duplicates.fingerprints import SIDE, Greys

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]
"""`(n, 2)` rows, the lower first, no pair twice."""

NEAR: Final = 8
"""Bits of 64 in which copies may differ; hashes of unrelated pictures differ in 32 on average."""
_KEPT = 8  # frequencies each way
_BAND_BITS = 16
_NEXT = (
    32  # hashes of one band that each is compared with: nothing is lost where there are fewer, and memory stays bounded
)
_BLOCK = 4096


def perceptual_hashes(greys: Greys) -> Hashes:
    """`(n, 32, 32)` -> `(n,)`."""
    found = np.empty(len(greys), np.uint64)
    cosines = _cosines()
    for start in range(0, len(greys), _BLOCK):
        block = greys[start : start + _BLOCK].astype(np.float32)
        frequencies = (cosines @ block @ cosines.T).reshape(len(block), -1)
        frequencies[:, 0] = 0  # the mean brightness says nothing of the picture
        bits = frequencies > np.median(frequencies, axis=1, keepdims=True)
        found[start : start + _BLOCK] = np.packbits(bits, axis=1).view(np.uint64)[:, 0]
    return found


def near_hashes(hashes: Hashes, *, most: int = NEAR) -> Pairs:
    """Pairs of rows whose hashes differ in at most so many bits, as far as a band shows them.

    All that differ in three bits or fewer share a band; of those that differ in eight, a third do.
    """
    found = []
    for shift in range(0, 64, _BAND_BITS):
        band = (hashes >> np.uint64(shift)) & np.uint64(2**_BAND_BITS - 1)
        order = np.lexsort((hashes, band))
        ordered = band[order]
        for step in range(1, min(_NEXT, len(order) - 1) + 1):
            places = np.flatnonzero(ordered[step:] == ordered[:-step])
            if not len(places):
                break
            first, second = order[places], order[places + step]
            close = np.bitwise_count(hashes[first] ^ hashes[second]) <= most
            found.append(np.stack([first[close], second[close]], axis=1))
    return distinct(np.concatenate(found)) if found else np.empty((0, 2), np.int64)


def distinct(pairs: NDArray[np.int64]) -> Pairs:
    """The lower row first, each pair once, ascending; pairs of a row with itself are left out."""
    pairs = np.sort(pairs, axis=1)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    width = int(pairs.max(initial=0)) + 1
    keys = np.unique(pairs[:, 0] * width + pairs[:, 1])
    return np.stack([keys // width, keys % width], axis=1)


def _cosines() -> NDArray[np.float32]:
    """`(8, 32)`: the rows of the transform (DCT-II) for the lowest frequencies."""
    places = np.arange(SIDE) + 0.5
    return np.cos(np.pi / SIDE * np.arange(_KEPT)[:, None] * places).astype(np.float32)
