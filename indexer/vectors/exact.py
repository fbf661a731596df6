"""The exact kind: every vector is scored, by matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from indexer.vectors import Ids, Mask, Rows, Stored, Vectors
from indexer.vectors.base import Candidates
from indexer.vectors.calibration import Calibration
from indexer.vectors.scoring import as_float32, scan

WIDEN_UP_TO = 1 << 28
"""Bytes of a float32 copy that are worth having: 131,072 vectors of 512. One query then reads twice the bytes and needs
no conversion, 100,000 x 512 in 10 ms, not 22; a batch takes the same either way."""

_ROWS = 1 << 16  # converted at a time


@dataclass(frozen=True, slots=True, eq=False)
class ExactBase:
    """See `Base`."""

    kind: ClassVar[str] = "exact"
    calibration: ClassVar[Calibration | None] = None

    ids: Ids
    vectors: Stored
    _scanned: Stored
    """`vectors`, or a float32 copy."""

    @classmethod
    def build(cls, ids: Ids, vectors: Stored) -> ExactBase:
        if vectors.size * 4 > WIDEN_UP_TO:
            return cls(ids, vectors, vectors)
        wide = np.empty(vectors.shape, np.float32)
        for start in range(0, len(vectors), _ROWS):
            wide[start : start + _ROWS] = as_float32(vectors[start : start + _ROWS])
        return cls(ids, vectors, wide)

    @property
    def size(self) -> int:
        return len(self.ids)

    def extended(self, newer: Vectors) -> ExactBase:
        return self  # a scan of them takes no longer elsewhere

    def depths(self, k: int) -> tuple[int, ...]:
        return (k,)

    def candidates(
        self, queries: Vectors, depths: tuple[int, ...], dead: Mask | None, rows: Rows | None
    ) -> list[Candidates]:
        found = scan(queries, self._scanned, depths[-1], rows=rows, dead=dead)
        return [Candidates(best, (len(best),) * len(depths)) for best in found]

    def structure(self) -> None:
        return None
