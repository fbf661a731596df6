"""What the search for duplicates knows of every content: in arrays, as there may be a million."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.duplicates.fingerprints import COLOUR_SIDE, SIDE, Colours, Fingerprint, Greys
from indexer.vectors import Ids


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """One row for every content of the collection, however many files have it; ascending by `ids`."""

    hashes: list[str]
    ids: Ids
    """Of the oldest image of each."""
    shape: NDArray[np.float32]
    """Logarithm of width by height."""
    taken: NDArray[np.float64]
    """Seconds by the camera's clock; NaN where it is not known."""
    camera: NDArray[np.int32]
    """A number a camera; -1 where it is not known."""
    greys: Greys
    colours: Colours
    known: NDArray[np.bool_]
    """Whether there is a fingerprint."""
    copies: int
    """Images beyond the first of each content."""

    def __len__(self) -> int:
        return len(self.hashes)

    def where(self, chosen: NDArray[np.bool_]) -> Contents:
        """Itself, uncopied, if all are."""
        if chosen.all():
            return self
        names = ("ids", "shape", "taken", "camera", "greys", "colours", "known")
        hashes = [self.hashes[row] for row in np.flatnonzero(chosen)]
        return replace(self, hashes=hashes, **{name: getattr(self, name)[chosen] for name in names})


def gather(rows: Iterable[Any], count: int) -> Contents:
    """Rows of `id, content_hash, width, height, taken_at, camera, pixels`, ascending by id; `count` at most."""
    places: dict[str, int] = {}
    cameras: dict[str, int] = {}
    ids, camera = np.empty(count, np.int64), np.full(count, -1, np.int32)
    shape, taken = np.zeros(count, np.float32), np.full(count, np.nan)
    greys, known = np.zeros((count, SIDE, SIDE), np.uint8), np.zeros(count, np.bool_)
    colours = np.zeros((count, COLOUR_SIDE, COLOUR_SIDE, 2), np.uint8)
    copies = 0
    for row in rows:
        place = len(places)
        if places.setdefault(row.content_hash, place) != place:
            copies += 1
            continue
        ids[place], shape[place] = row.id, np.log(row.width / row.height)
        if row.taken_at is not None:
            taken[place] = (row.taken_at - _EPOCH).total_seconds()
        if row.camera is not None:
            camera[place] = cameras.setdefault(row.camera, len(cameras))
        if row.pixels is not None:
            seen = Fingerprint.from_bytes(row.pixels)
            greys[place], colours[place], known[place] = seen.grey, seen.colour, True
    n = len(places)
    seen_as = greys[:n], colours[:n], known[:n]
    return Contents(list(places), ids[:n], shape[:n], taken[:n], camera[:n], *seen_as, copies)


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a camera's clock has no zone
