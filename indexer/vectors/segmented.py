"""An index of any kind: a base, a tail of newer vectors, and a mask of dead rows.

The tail is searched exactly, but for those of its first rows that the base was extended by: where it finds by codes it
codes newer vectors too, and finds them as it finds its own. Rows of the tail are numbered after those of the base.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, Mask, Matches, Rows, Vectors
from indexer.vectors.base import Base, Candidates
from indexer.vectors.bases import build_base
from indexer.vectors.calibration import Calibration
from indexer.vectors.joined import Joined
from indexer.vectors.planning import IndexPlan
from indexer.vectors.scoring import NO_ROWS, as_float32, narrowed, scan

TAIL_LIMIT = 4096
"""A tail, or a number of dead rows, above this and above a share of the base is worth a new base."""
_SHARES = {"exact": 10, "torch": 10, "hnsw": 50}
_SHARE = 20
"""Of a base that finds by codes. Newer vectors are coded too: beside a million x 512 2,000 of them cost a search 3 % of
its time, 50,000 13 %. What limits them is memory, where each is float32: 100 MB."""

_ROWS = 1 << 16  # copied at a time


@dataclass(slots=True, eq=False)
class _Buffer:
    """Rows that were ever in a tail, in the order they came. Versions of an index share it; each knows its own length.

    Only ever appended to, and only by the version that is as long as it: any other starts a buffer of its own.
    """

    ids: Ids
    vectors: Vectors
    used: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True, eq=False)
class _Tail:
    buffer: _Buffer
    ids: Ids
    """`(n,)`, in the order they came; a view into the buffer."""
    vectors: Vectors
    """`(n, dimension)`, float32 as they are scanned at every search; a view into the buffer."""
    dead: Mask
    """`(n,)`: removed or replaced."""
    dead_count: int

    @classmethod
    def empty(cls, dimension: int) -> _Tail:
        ids, vectors = np.empty(0, np.int64), np.empty((0, dimension), np.float32)
        return cls(_Buffer(ids, vectors), ids, vectors, np.empty(0, np.bool_), 0)

    def __len__(self) -> int:
        return len(self.ids) - self.dead_count

    def without(self, ids: Ids) -> _Tail:
        gone = among(self.ids, np.sort(ids)) & ~self.dead
        if not gone.any():
            return self
        return replace(self, dead=self.dead | gone, dead_count=self.dead_count + int(gone.sum()))

    def with_rows(self, ids: Ids, vectors: NDArray[np.float16]) -> _Tail:
        if not len(ids):
            return self
        start, end = len(self.ids), len(self.ids) + len(ids)
        buffer = self.buffer
        with buffer.lock:
            if buffer.used != start or end > len(buffer.ids):
                buffer = self._moved(max(2 * end, 64))
            buffer.ids[start:end] = ids
            buffer.vectors[start:end] = as_float32(vectors)
            buffer.used = end
        dead = np.concatenate([self.dead, np.zeros(len(ids), np.bool_)])
        return _Tail(buffer, buffer.ids[:end], buffer.vectors[:end], dead, self.dead_count)

    def _moved(self, capacity: int) -> _Buffer:
        buffer = _Buffer(np.empty(capacity, np.int64), np.empty((capacity, self.vectors.shape[1]), np.float32))
        buffer.ids[: len(self.ids)] = self.ids
        buffer.vectors[: len(self.ids)] = self.vectors
        return buffer


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedIndex:
    """See `VectorIndex`. Made by `build` or `of`."""

    base: Base
    """As it was built."""
    _extended: Base
    """The base, or the base extended by some of the first of the tail."""
    _dead: Mask
    """`(n,)`: rows of the base that were removed or replaced."""
    dead_count: int
    """Rows of the base that are dead."""
    _tail: _Tail

    @classmethod
    def build(
        cls, ids: Ids, vectors: NDArray[np.float16], plan: IndexPlan | None = None, probes: Vectors | None = None
    ) -> SegmentedIndex:
        """From distinct ids and `(n, dimension)` unit vectors, in any order; see `build_base` for the probes."""
        if np.any(ids[1:] <= ids[:-1]):
            order = np.argsort(ids, kind="stable")
            ids, vectors = ids[order], vectors[order]
        return cls.of(build_base(plan or IndexPlan(), ids, vectors, probes))

    @classmethod
    def of(cls, base: Base) -> SegmentedIndex:
        """With nothing in the tail and nothing dead."""
        return cls(base, base, np.zeros(len(base.ids), np.bool_), 0, _Tail.empty(base.vectors.shape[1]))

    @property
    def kind(self) -> str:
        return self.base.kind

    @property
    def dimension(self) -> int:
        return int(self.base.vectors.shape[1])

    @property
    def calibration(self) -> Calibration | None:
        return self.base.calibration

    @property
    def tail_size(self) -> int:
        """Vectors in the tail."""
        return len(self._tail)

    @property
    def changes(self) -> int:
        """How many vectors have come or gone since the base was built; it grows with every change."""
        return len(self._tail.ids) + self._tail.dead_count + self.dead_count

    def __len__(self) -> int:
        return len(self.base.ids) - self.dead_count + len(self._tail)

    def outgrown(self) -> bool:
        """Whether the tail, or the dead, have become so many that a new base is worth building."""
        limit = max(TAIL_LIMIT, len(self.base.ids) // _SHARES.get(self.kind, _SHARE))
        return len(self._tail.ids) > limit or self.dead_count > max(TAIL_LIMIT, len(self.base.ids) // 10)

    def search(self, queries: NDArray[np.float32], k: int, allowed: Ids | None = None) -> list[Matches]:
        """Raises ValueError for queries of another shape or with values that are not finite."""
        queries = self._checked(queries)
        if k <= 0 or not len(self):
            return [_NO_MATCHES for _ in queries]
        base_rows = tail_rows = None
        if allowed is not None:
            base_rows, tail_rows = self._rows_of(allowed)
        depths = self.base.depths(k)
        from_base = self._extended.candidates(queries, depths, self._dead_in_base(), base_rows)
        from_tail = self._scanned(queries, depths[-1], tail_rows)
        return [self._ranked(*found, depths, k) for found in zip(queries, from_base, from_tail, strict=True)]

    @property
    def _coded(self) -> int:
        """How many of the first rows of the tail the base was extended by."""
        return self._extended.size - len(self.base.ids)

    def _rows_of(self, allowed: Ids) -> tuple[Rows, Rows]:
        """Those alive in the extended base, and those in the rest of the tail."""
        allowed = np.unique(allowed) if np.any(allowed[1:] <= allowed[:-1]) else allowed
        base_rows = positions(self.base.ids, allowed)
        base_rows = base_rows[~self._dead[base_rows]]
        tail_rows = np.flatnonzero(among(self._tail.ids, allowed) & ~self._tail.dead) + len(self.base.ids)
        cut = int(np.searchsorted(tail_rows, self._extended.size))
        return np.concatenate([base_rows, tail_rows[:cut]]), tail_rows[cut:]

    def _dead_in_base(self) -> Mask | None:
        """The extended one; None if all are alive."""
        dead_in_tail = self._tail.dead[: self._coded]
        if not self.dead_count and not dead_in_tail.any():
            return None
        return np.concatenate([self._dead, dead_in_tail]) if len(dead_in_tail) else self._dead

    def _scanned(self, queries: Vectors, k: int, rows: Rows | None) -> list[Rows]:
        """The best of what of the tail is not coded."""
        tail, coded = self._tail, self._coded
        start = self._extended.size
        rows = None if rows is None else rows - start
        dead = tail.dead[coded:] if tail.dead_count else None
        return [found + start for found in scan(queries, tail.vectors[coded:], k, rows=rows, dead=dead)]

    def changed(self, put_ids: Ids, put_vectors: NDArray[np.float16], removed_ids: Ids) -> SegmentedIndex:
        """Shares the base and what was in the tail, however large they have become. `put_ids` are distinct."""
        gone = np.concatenate([put_ids, removed_ids])
        rows = positions(self.base.ids, gone)
        rows = rows[~self._dead[rows]]
        dead = self._dead
        if len(rows):
            dead = dead.copy()
            dead[rows] = True
        tail = self._tail.without(gone).with_rows(put_ids, put_vectors)
        extended = self._extended.extended(tail.vectors) if len(put_ids) else self._extended
        return SegmentedIndex(self.base, extended, dead, int(dead.sum()) if len(rows) else self.dead_count, tail)

    def ids(self) -> Ids:
        """Every id, ascending."""
        return np.sort(np.concatenate([self.base.ids[~self._dead], self._tail.ids[~self._tail.dead]]))

    def contents(self) -> tuple[Ids, NDArray[np.float16]]:
        """Every id, ascending, and its vector, exactly as it was put. The base's own, uncopied, if nothing changed."""
        stored = self.base.vectors
        if not self.dead_count and not len(self._tail) and stored.dtype == np.float16:
            return self.base.ids, stored  # type: ignore[return-value]
        alive, newer = np.flatnonzero(~self._dead), np.flatnonzero(~self._tail.dead)
        ids = np.concatenate([self.base.ids[alive], self._tail.ids[newer]])
        order = np.argsort(ids, kind="stable")
        vectors = np.empty((len(ids), self.dimension), np.float16)
        place = np.empty(len(ids), np.intp)
        place[order] = np.arange(len(ids))
        for start in range(0, len(alive), _ROWS):
            rows = alive[start : start + _ROWS]
            vectors[place[start : start + len(rows)]] = stored[rows]
        vectors[place[len(alive) :]] = self._tail.vectors[newer]
        return ids[order], vectors

    def vectors_of(self, ids: Ids) -> Vectors:
        """`(len(ids), dimension)` of distinct ids in any order. Raises KeyError for one that is not there."""
        rows = np.concatenate(self._rows_of(np.sort(ids)))
        known = self._ids(rows)
        if len(known) != len(ids):
            raise KeyError("an id that is not in this index")
        order = np.argsort(known)
        return Joined(self.base.vectors, self._tail.vectors).at(rows[order][np.searchsorted(known[order], ids)])

    def _checked(self, queries: NDArray[np.float32]) -> Vectors:
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise ValueError(f"queries of shape {queries.shape}, not (n, {self.dimension})")
        if not np.isfinite(queries).all():
            raise ValueError("queries with values that are not finite")
        return np.ascontiguousarray(queries, np.float32)

    def _ranked(self, query: Vectors, base: Candidates, tail_rows: Rows, depths: tuple[int, ...], k: int) -> Matches:
        """Score the candidates one way, whatever found them, and settle the ranks depth by depth."""
        rows, cuts = base.rows, base.cuts
        if base.scores is not None:
            keep = narrowed(query, base.scores, cuts, depths)
            rows, cuts = rows[keep], tuple(int(np.count_nonzero(keep[:cut])) for cut in cuts)
        every = np.concatenate([rows, tail_rows])
        ids = self._ids(every)
        scores = Joined(self.base.vectors, self._tail.vectors).scored(query, every)
        order = np.lexsort((ids, -scores))
        if len(depths) > 1:
            order = _by_depth(order, len(rows), cuts, depths)
        order = order[:k]
        return Matches(ids[order], np.clip(scores[order], -1, 1))

    def _ids(self, rows: Rows) -> Ids:
        size = len(self.base.ids)
        late = rows >= size
        ids = np.empty(len(rows), np.int64)
        ids[~late] = self.base.ids[rows[~late]]
        ids[late] = self._tail.ids[rows[late] - size]
        return ids


_NO_MATCHES = Matches(np.empty(0, np.int64), np.empty(0, np.float32))


def positions(ascending: Ids, wanted: Ids) -> Rows:
    """Where the wanted ids stand in `ascending`, in the order of `wanted`; those that do not are left out.

    Ids without gaps are places already; where there are gaps, to find 500,000 among a million takes 13 ms.
    """
    if not len(ascending):
        return NO_ROWS
    if ascending[-1] - ascending[0] == len(ascending) - 1:
        inside = (wanted >= ascending[0]) & (wanted <= ascending[-1])
        rows: Rows = wanted[inside] - ascending[0]
        return rows
    places = np.searchsorted(ascending, wanted)
    inside = places < len(ascending)
    places = places[inside]
    found: Rows = places[ascending[places] == wanted[inside]]
    return found


def among(ids: Ids, ascending: Ids) -> Mask:
    """Which of the ids are in `ascending`."""
    if not len(ascending):
        return np.zeros(len(ids), np.bool_)
    places = np.searchsorted(ascending, ids)
    found: Mask = ascending[np.minimum(places, len(ascending) - 1)] == ids
    return found


def _by_depth(order: Rows, from_base: int, cuts: tuple[int, ...], depths: tuple[int, ...]) -> Rows:
    """The best for the first depth, then the best for the next that are not among them, and so on."""
    settled = NO_ROWS
    free = np.ones(len(order), np.bool_)
    for cut, depth in zip(cuts, depths, strict=True):
        inside = free & ((order < cut) | (order >= from_base))
        chosen = np.flatnonzero(inside)[: depth - len(settled)]
        settled = np.concatenate([settled, order[chosen]])
        free[chosen] = False
    return settled
