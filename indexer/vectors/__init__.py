"""Nearest vectors by cosine: the `VectorIndex` seam.

`segmented` holds what every kind shares: a built base, a tail of newer vectors, a mask of dead rows. `bases` builds and
restores bases, one file a kind beside this one; `planning` chooses the kind by size, `calibration` its effort
by recall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Rows = NDArray[np.intp]
"""Positions in an array of ids or vectors."""
Mask = NDArray[np.bool_]
Vectors = NDArray[np.float32]
Stored = NDArray[np.float16] | NDArray[np.float32]
"""`(n, dimension)` unit rows with float16 values; may be memory-mapped."""


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

        The first j of k results are the same for every k >= j. Never fewer than k while there are k to find. An
        approximate kind may miss some of the nearest, and rank one that it found late below one that is less near.
        """
        ...

    def ids(self) -> Ids:
        """Every id, ascending."""
        ...

    def vectors_of(self, ids: Ids) -> Vectors:
        """`(len(ids), dimension)` of distinct ids in any order. Raises KeyError for one that is not there."""
        ...

    def changed(self, put_ids: Ids, put_vectors: NDArray[np.float16], removed_ids: Ids) -> VectorIndex:
        """This index with those pairs added or replaced and those ids gone (unknown ids are ignored)."""
        ...
