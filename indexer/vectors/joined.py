"""Two matrices whose rows are numbered through, so that a base and what came after it can be scored as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.vectors import Mask, Rows, Stored, Vectors
from indexer.vectors.scoring import as_float32, products, scan, scored


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """The functions of `scoring`, over both."""

    older: Stored
    newer: Stored

    def __len__(self) -> int:
        return len(self.older) + len(self.newer)

    def at(self, rows: Rows) -> Vectors:
        """Those rows, in any order, as float32."""
        late = rows >= len(self.older)
        if not late.any():
            return as_float32(self.older[rows])
        found = np.empty((len(rows), self.older.shape[1]), np.float32)
        found[~late] = as_float32(self.older[rows[~late]])
        found[late] = as_float32(self.newer[rows[late] - len(self.older)])
        return found

    def scan(self, queries: Vectors, k: int, *, rows: Rows | None = None, dead: Mask | None = None) -> list[Rows]:
        """See `scoring.scan`; up to twice as many rows."""
        size = len(self.older)
        if not len(self.newer):
            return scan(queries, self.older, k, rows=rows, dead=dead)
        older_rows = newer_rows = older_dead = newer_dead = None
        if rows is not None:
            cut = int(np.searchsorted(rows, size))
            older_rows, newer_rows = rows[:cut], rows[cut:] - size
        if dead is not None:
            older_dead, newer_dead = dead[:size], dead[size:]
        older = scan(queries, self.older, k, rows=older_rows, dead=older_dead)
        newer = scan(queries, self.newer, k, rows=newer_rows, dead=newer_dead)
        return [np.concatenate([some, others + size]) for some, others in zip(older, newer, strict=True)]

    def products(self, query: Vectors, rows: Rows) -> Vectors:
        """See `scoring.products`; rows in any order."""
        late = rows >= len(self.older)
        if not late.any():
            return products(query, self.older, rows)
        scores = np.empty(len(rows), np.float32)
        scores[~late] = products(query, self.older, rows[~late])
        scores[late] = products(query, self.newer, rows[late] - len(self.older))
        return scores

    def scored(self, query: Vectors, rows: Rows) -> Vectors:
        """See `scoring.scored`; rows in any order."""
        late = rows >= len(self.older)
        if not late.any():
            return scored(self.older[rows], query)
        scores = np.empty(len(rows), np.float32)
        scores[~late] = scored(self.older[rows[~late]], query)
        scores[late] = scored(self.newer[rows[late] - len(self.older)], query)
        return scores
