"""What every kind of base promises: a structure over many vectors, built once, that names candidates for the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, Mask, Rows, Stored, Vectors
from indexer.vectors.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Candidates:
    """Of one query: rows among which the best are, in no order that matters but this:"""

    rows: Rows
    cuts: tuple[int, ...]
    """For each depth asked for, how many of the first `rows` are for it: as many as it, or all that are eligible."""
    scores: Vectors | None = None
    """Of the rows, if they were worked out: exact but for rounding."""


class Base(Protocol):
    """Immutable; safe for any number of readers at once."""

    @property
    def kind(self) -> str: ...
    @property
    def ids(self) -> Ids:
        """Ascending."""
        ...

    @property
    def vectors(self) -> Stored:
        """`(n, dimension)`, exactly what was put."""
        ...

    @property
    def calibration(self) -> Calibration | None:
        """None for exact kinds."""
        ...

    @property
    def size(self) -> int:
        """How many rows there are to find: its own and those it was extended by."""
        ...

    def extended(self, newer: Vectors) -> Base:
        """One that also finds some of the first of the `newer` (`(m, dimension)`), numbered after its own rows.

        Itself, if it is not worth it. `newer` begins with those it was extended by before.
        """
        ...

    def depths(self, k: int) -> tuple[int, ...]:
        """Ascending; the last is k or more. Ranks up to each are settled with candidates of their own, whatever is
        asked for beyond: for an approximate kind they are the same for every k, so that pages agree."""
        ...

    def candidates(
        self, queries: Vectors, depths: tuple[int, ...], dead: Mask | None, rows: Rows | None
    ) -> list[Candidates]:
        """For each query rows that contain its best, to each depth: for exact kinds for certain, else mostly.

        Only of `rows` (ascending, none of them dead) when given, else of all that are not `dead`.
        """
        ...

    def structure(self) -> NDArray[np.uint8] | None:
        """What `restore_base` needs besides ids and vectors; None if nothing."""
        ...
