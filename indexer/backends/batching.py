"""How large a batch: padded to few fixed sizes, divided among devices, halved where memory is short."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")

SMALLEST: Final = 8
"""A GPU takes as long for one picture as for eight."""
LARGEST: Final = 1024
_GROWTH: Final = 1.05
"""A doubled batch has to bring so many times the images a second."""
_log = logging.getLogger(__name__)


def padded_size(count: int, largest: int) -> int:
    """The smallest power of two that holds `count`, at least `SMALLEST`, and at most `largest`."""
    return min(largest, max(SMALLEST, 1 << (count - 1).bit_length()))


def padded(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """With black pictures behind, up to `size`."""
    missing = size - len(pixels)
    return np.pad(pixels, [(0, missing), (0, 0), (0, 0), (0, 0)]) if missing else pixels


def shares(count: int, parts: int) -> list[slice]:
    """`count` items in order among at most `parts`, as evenly as can be; no part is empty."""
    bounds = [count * part // parts for part in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(bounds) if end > start]


def fastest_batch(seconds: Callable[[int], float], smallest: int = 32, largest: int = LARGEST) -> int:
    """Doubles the batch until that brings no more images a second, or memory is short; the last size that did.

    `seconds(n)` is the time that n images take. Raises torch's `OutOfMemoryError` if even `smallest` does not fit.
    """
    import torch

    best, speed = smallest, smallest / seconds(smallest)
    while best * 2 <= largest:
        try:
            doubled = best * 2 / seconds(best * 2)
        except torch.OutOfMemoryError:
            return best
        if doubled < speed * _GROWTH:
            return best
        best, speed = best * 2, doubled
    return best


def halved_until_it_fits(work: Callable[[int], Result], size: int, release: Callable[[], None]) -> tuple[Result, int]:
    """`work(size)`, with half the size again and again where memory is short, which is logged; and the size that did.

    `release` gives back what the failed attempt still holds. Raises torch's `OutOfMemoryError` when one is too many.
    """
    import torch

    while True:
        try:
            return work(size), size
        except torch.OutOfMemoryError:
            if size == 1:
                raise
        # After the handler: the error holds the frames, and they the tensors, of the attempt.
        release()
        size //= 2
        _log.warning("the GPU's memory is short: going on with batches of %d", size)
