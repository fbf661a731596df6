"""Approximate kinds: a structure of FAISS finds candidates by short codes or a graph, their exact scores rank them.

Ranks are settled by depth: the best 10 among the candidates for 10, the next 90 among those for 100, and so on, so that
ten results begin a hundred. Wherever candidates could be too few to be sure of, all eligible vectors are scored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, Mask, Rows, Stored, Vectors
from indexer.vectors.base import Candidates
from indexer.vectors.calibration import Calibration, Effort
from indexer.vectors.joined import Joined
from indexer.vectors.scoring import NO_ROWS

FIRST_DEPTH = 10
GATHERED = 4096
"""So few eligible vectors, or a fiftieth of all, are scored without looking for candidates: 10,000 of a million x 512
take no longer than a pass over the codes."""
FILTERED = 4
"""How many times more candidates a filtered search takes: what is eligible may be far from the query, where more
vectors score alike and codes tell them apart less well."""
EXACT_SHARE = 4
"""Where candidates would be more than one in so many of the eligible, all of those are scored instead."""
EXTENDED_BY = 256
"""So many newer vectors are coded at once; fewer are scanned. While 6,000 came to 100,000 x 512, 50 at a time, a search
took 1.26 times what it takes without them; with blocks of 50 1.21, of 1,024 1.35, if none are coded 1.84."""
EXTENDED_SHARE = 4
"""Newer vectors are coded up to so small a part of the base: its codes and its effort were fitted to others."""
_GROWTH = 0.65  # of candidates with depth, as a power: a million x 512 needs 0.55 to 0.65 for a recall of 0.99
_QUERIES = 64  # searched at a time
_CERTAIN_FIRST, _CERTAIN = 4.0, 2.0
"""How many standard deviations of the codes' error the last of the best has to be above the last candidate. Where what
is eligible is just what is far from the query it is below, else at least 4.7 above for the best 10 and 2.3 for 100:
seen over 100,000 x 512, product quantised, with filters of 5 to 50 %, at random, of the nearest, of the furthest."""
_NO_SCORES = np.empty(0, np.float32)


class Structure(Protocol):
    """What finds candidates; safe for any number of readers at once."""

    @property
    def kind(self) -> str: ...
    @property
    def lists(self) -> int: ...
    @property
    def filters(self) -> bool:
        """Whether `nearest` loses nothing by a selection, if it looks into every list."""
        ...

    @property
    def nested(self) -> bool:
        """Whether the first of many found are what is found when fewer are asked for."""
        ...

    def nearest(
        self, queries: Vectors, most: int, probes: int, eligible: Mask | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Approximate scores, descending, and rows, `(n, most)` both; -1 where there are no more."""
        ...

    def extended(self, vectors: Vectors, own: Stored) -> Structure | None:
        """With those rows after its `own`; itself it stays as it is. None if it would find them less well."""
        ...

    def parameters(self) -> dict[str, int]:
        """For people to read."""
        ...

    def to_bytes(self) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True, eq=False)
class ApproximateBase:
    """See `Base`."""

    found_by: Structure
    ids: Ids
    vectors: Stored
    effort: Effort
    calibration: Calibration | None = None
    newer: Vectors | None = None
    """What it was extended by."""

    @property
    def kind(self) -> str:
        return self.found_by.kind

    @property
    def size(self) -> int:
        return len(self.vectors) + (0 if self.newer is None else len(self.newer))

    def structure(self) -> NDArray[np.uint8]:
        return self.found_by.to_bytes()

    def with_effort(self, effort: Effort, calibration: Calibration | None = None) -> ApproximateBase:
        return replace(self, effort=effort, calibration=calibration)

    def extended(self, newer: Vectors) -> ApproximateBase:
        newer = newer[: len(self.vectors) // EXTENDED_SHARE]
        fresh = newer[self.size - len(self.vectors) :]
        found_by = self.found_by.extended(fresh, self.vectors) if len(fresh) >= EXTENDED_BY else None
        return self if found_by is None else replace(self, found_by=found_by, newer=newer)

    @property
    def exhaustive_fetch(self) -> int:
        """With so many candidates every vector is scored."""
        return self.size // EXACT_SHARE + 1

    @property
    def _all(self) -> Joined:
        return Joined(self.vectors, self.vectors[:0] if self.newer is None else self.newer)

    def depths(self, k: int) -> tuple[int, ...]:
        found = [FIRST_DEPTH]
        while found[-1] < k:
            found.append(10 * found[-1])
        return tuple(found)

    def candidates(
        self, queries: Vectors, depths: tuple[int, ...], dead: Mask | None, rows: Rows | None
    ) -> list[Candidates]:
        there = self.size - (int(np.count_nonzero(dead)) if dead is not None else 0) if rows is None else len(rows)
        fetches = self._fetches(depths, there, filtered=rows is not None)
        if not fetches or (rows is not None and self._few(rows)):
            exact = self._all.scan(queries, depths[-1], rows=rows, dead=dead)
            return [Candidates(found, (len(found),) * len(depths)) for found in exact]
        doubtful = self.found_by.nested and (dead is not None or rows is not None)
        found = []
        for start in range(0, len(queries), _QUERIES):
            some = queries[start : start + _QUERIES]
            for query, near in zip(some, self._near(some, fetches, dead, rows), strict=True):
                near.scores = self._all.products(query, near.rows)
                sure = 0
                for cut, depth in zip(near.cuts, depths, strict=False):
                    if cut < min(depth, there) or (doubtful and not _certain(near, cut, depth)):
                        break
                    sure += 1
                found.append(self._completed(query, near, tuple(near.cuts[:sure]), depths, dead, rows))
        return found

    def _fetches(self, depths: tuple[int, ...], eligible_count: int, *, filtered: bool) -> list[int]:
        """How many candidates for each depth; for the first so deep that it is worth scoring everything, no more."""
        fetches: list[int] = []
        for depth in depths:
            fetch = round(self.effort.fetch * (depth / FIRST_DEPTH) ** _GROWTH)
            fetch = max(fetch, FILTERED * self.effort.fetch) if filtered else fetch
            if fetch < depth or fetch * EXACT_SHARE > eligible_count:
                break
            fetches.append(fetch)
        return fetches

    def _few(self, rows: Rows) -> bool:
        return not self.found_by.filters or len(rows) <= max(GATHERED, self.size // 50)

    def _near(self, queries: Vectors, fetches: list[int], dead: Mask | None, rows: Rows | None) -> list[_Near]:
        """For each query what seems nearest of the eligible, with a cut for each of the fetches that could be had."""
        if self.found_by.nested:
            nears = self._nearest(queries, fetches[-1], dead, rows)
            for near in nears:
                near.cuts = [_cut(near.seeming, fetch) for fetch in fetches]
                near.rows = near.rows[: near.cuts[-1]]
            return nears
        layers = [self._nearest(queries, fetch, dead, rows) for fetch in fetches]
        return [_joined(parts, fetches) for parts in zip(*layers, strict=True)]

    def _nearest(self, queries: Vectors, fetch: int, dead: Mask | None, rows: Rows | None) -> list[_Near]:
        """For each query the `fetch` eligible rows that seem nearest, and perhaps a few more."""
        if rows is not None:
            eligible = np.zeros(self.size, np.bool_)
            eligible[rows] = True
            return _split(self.found_by.nearest(queries, fetch, self.found_by.lists, eligible))
        if dead is None:
            return _split(self.found_by.nearest(queries, fetch, self.effort.probes, None))
        most = min(self.size, fetch + fetch // 4 + 32)
        found = _split(self.found_by.nearest(queries, most, self.effort.probes, None), dead)
        short = [number for number, near in enumerate(found) if len(near.rows) < fetch]
        if short and self.found_by.filters:  # more of the nearest are dead than was fetched for
            again = self.found_by.nearest(queries[short], fetch, self.effort.probes, ~dead)
            for number, near in zip(short, _split(again), strict=True):
                found[number] = near
        return found

    def _completed(
        self,
        query: Vectors,
        near: _Near,
        cuts: tuple[int, ...],
        depths: tuple[int, ...],
        dead: Mask | None,
        rows: Rows | None,
    ) -> Candidates:
        """With the exact best added for the depths that have no cut."""
        last = max(cuts, default=0)
        found, scores = near.rows[:last], near.scores[:last]
        missing = len(depths) - len(cuts)
        if missing:
            [best] = self._all.scan(query[None], depths[-1], rows=rows, dead=dead)
            more = np.setdiff1d(best, found)
            found = np.concatenate([found, more])
            scores = np.concatenate([scores, self._all.products(query, more)])
        return Candidates(found, cuts + (len(found),) * missing, scores)


@dataclass(slots=True, eq=False)
class _Near:
    """What seems nearest to a query, nearest first."""

    rows: Rows
    seeming: NDArray[np.float32]
    """Their scores by the structure."""
    scores: Vectors
    """Their scores but for rounding, once they are worked out."""
    cuts: list[int]
    """How many of the rows are for each depth, as far as it was fetched for."""


def _split(found: tuple[NDArray[np.float32], NDArray[np.int64]], dead: Mask | None = None) -> list[_Near]:
    """For each query, what is not padding and not dead."""
    nears = []
    for seeming, rows in zip(*found, strict=True):
        if rows[-1] < 0:
            seeming, rows = seeming[rows >= 0], rows[rows >= 0]
        if dead is not None:
            alive = ~dead[rows]
            seeming, rows = seeming[alive], rows[alive]
        nears.append(_Near(rows, seeming, _NO_SCORES, []))
    return nears


def _joined(parts: tuple[_Near, ...], fetches: list[int]) -> _Near:
    """What was fetched for each depth apart, up to the first that did not get as much as it asked for."""
    joined = _Near(NO_ROWS, _NO_SCORES, _NO_SCORES, [])
    for near, fetch in zip(parts, fetches, strict=True):
        if len(near.rows) < fetch:
            break
        rows = near.rows[: _cut(near.seeming, fetch)]
        joined.rows = np.concatenate([joined.rows, np.setdiff1d(rows, joined.rows)])
        joined.cuts.append(len(joined.rows))
    return joined


def _cut(seeming: NDArray[np.float32], fetch: int) -> int:
    """How many are better than the one that is number `fetch`: of those that are as good, chance chose who is there."""
    if len(seeming) < fetch:
        return len(seeming)
    return int(np.searchsorted(-seeming[:fetch], -seeming[fetch - 1], side="left"))


def _certain(near: _Near, cut: int, depth: int) -> bool:
    """Whether whatever was not fetched would have to be underrated by more than is likely to be among the best."""
    if cut <= depth:
        return False
    scores, seeming = near.scores[:cut], near.seeming[:cut]
    margin = float(np.partition(scores, cut - depth)[cut - depth] - seeming[-1])
    return margin >= (_CERTAIN_FIRST if depth == FIRST_DEPTH else _CERTAIN) * float((scores - seeming).std())
