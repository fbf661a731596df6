"""Nearest vectors by cosine: the `VectorIndex` seam; one file per engine beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Matches:
    """The best matches of one query, best first; equal scores by ascending id. Never padded."""

    ids: Ids
    """`(n,)` int64, n at most the k asked for."""
    scores: NDArray[np.float32]
    """`(n,)` float32 cosine, -1 to 1."""


class VectorIndex(Protocol):
    """An immutable set of `(id, unit vector)` pairs that can be searched from any number of threads at once.

    A change makes a new index that shares what did not change; readers keep the one they hold.
    """

    @property
    def kind(self) -> str:
        """The engine and structure, such as `exact`, as `sightline stats` shows it."""
        ...

    def __len__(self) -> int: ...

    def search(self, queries: NDArray[np.float32], k: int, allowed: Ids | None = None) -> list[Matches]:
        """The k nearest of each of `(n, dimension)` unit queries; with `allowed` (sorted ids), among those only.

        The first j of k results are the same for every k >= j.
        """
        ...

    def changed(self, put_ids: Ids, put_vectors: NDArray[np.float16], removed_ids: Ids) -> VectorIndex:
        """This index with those pairs added or replaced and those ids gone (unknown ids are ignored)."""
        ...
