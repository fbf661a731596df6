"""The memory that decoded pictures are handed over in: allocated once, filled in place, used again."""

from __future__ import annotations

import sys

import numpy as np

from indexer.images import Pixels, Preprocessing


class Ring:
    """Batches of pictures, `(batch_size, height, width, 3)` uint8 each, by turns in `slots` places.

    Filling a place that is there takes 0.7 of the time of `np.stack`, which allocates 5 MB for a batch of 32. Where
    torch uses CUDA in this process the memory is page-locked: the device fetches it without a copy in between.
    """

    def __init__(self, preprocessing: Preprocessing, *, batch_size: int, slots: int) -> None:
        self._shape = batch_size, preprocessing.height, preprocessing.width, 3
        self._places: list[Pixels | None] = [None] * slots
        self._locked = [False] * slots
        self._slot = self._filled = 0

    def put(self, pixels: Pixels) -> None:
        """Copy a picture into the batch that is being filled; it must not be full."""
        place = self._begin() if self._filled == 0 else self._places[self._slot]
        assert place is not None
        place[self._filled] = pixels
        self._filled += 1

    def take(self) -> Pixels:
        """What has been put since the last call, `(n, height, width, 3)`; it is written over `slots` batches later."""
        place, filled = self._places[self._slot], self._filled
        if not filled or place is None:
            return np.empty((0, *self._shape[1:]), np.uint8)
        self._slot, self._filled = (self._slot + 1) % len(self._places), 0
        return place[:filled]

    def _begin(self) -> Pixels:
        """The place to fill now: as a model may be loaded only when the first batch is encoded, this is asked anew."""
        place, lock = self._places[self._slot], _cuda_is_in_use()
        if place is None or lock > self._locked[self._slot]:
            place = self._places[self._slot] = _page_locked(self._shape) if lock else np.empty(self._shape, np.uint8)
            self._locked[self._slot] = lock
        return place


def _cuda_is_in_use() -> bool:
    """Without importing torch, and without waking CUDA up."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)  # another thread may be in the middle of importing it
    ask = getattr(cuda, "is_initialized", None)
    return ask is not None and bool(ask())


def _page_locked(shape: tuple[int, ...]) -> Pixels:
    import torch

    memory: Pixels = torch.empty(shape, dtype=torch.uint8, pin_memory=True).numpy()
    return memory
