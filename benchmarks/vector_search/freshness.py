"""Searching while vectors are added: does the slowest hundredth suffer?"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.generator import Vectors
from indexer.vectors.bases import build_base
from indexer.vectors.fold import Background
from indexer.vectors.planning import IndexPlan
from indexer.vectors.segmented import SegmentedIndex

A_SECOND, BURST = 1000, 50
"""Vectors added, and how many at once."""
K = 10
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Freshness:
    p99_alone: float
    """Seconds; the median of the phases'."""
    ratio: float
    """The median of that of neighbouring phases."""
    added_a_second: float
    folds: int
    """Bases built meanwhile."""
    lost: int
    """Vectors added that do not find themselves afterwards."""


class Growing:
    """An index that one thread adds to; once it has outgrown its base another builds a new one, as in a collection."""

    def __init__(self, index: SegmentedIndex, newcomers: NDArray[np.float16], plan: IndexPlan, probes: Vectors) -> None:
        self.index = index
        self.added, self.folds = 0, 0
        self.first = int(index.contents()[0].max(initial=-1)) + 1
        self._newcomers, self._plan, self._probes = newcomers, plan, probes
        self._swap = threading.Lock()
        self._fold = Background(self._new_base)

    @contextmanager
    def adding(self) -> Iterator[None]:
        """A burst whenever one is due, until the block ends or there is nothing left to add.

        A new base is begun at once, outgrown or not: a phase of seconds would else meet none beside a million vectors,
        which 20,000 newer ones do not outgrow.
        """
        stop = threading.Event()
        self._fold.start()
        writer = threading.Thread(target=self._write, args=(stop,), daemon=True)
        writer.start()
        try:
            yield
        finally:
            stop.set()
            writer.join()

    def settle(self) -> None:
        """Wait until no base is being built."""
        self._fold.finish(600)

    def _write(self, stop: threading.Event) -> None:
        due = time.perf_counter()
        while not stop.wait(max(0.0, due - time.perf_counter())) and self.added < len(self._newcomers):
            due += BURST / A_SECOND
            end = min(self.added + BURST, len(self._newcomers))
            with self._swap:
                self.index = self.index.changed(*self._burst(self.added, end), _NONE)
                self.added = end
            if self.index.outgrown():
                self._fold.start()

    def _burst(self, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        return np.arange(self.first + start, self.first + end), self._newcomers[start:end]

    def _new_base(self) -> None:
        with self._swap:
            old, until = self.index, self.added
        base = build_base(self._plan, *old.contents(), self._probes, threads=1)  # as a collection in the background
        with self._swap:
            self.index = SegmentedIndex.of(base).changed(*self._burst(until, self.added), _NONE)
            self.folds += 1


def measure(growing: Growing, queries: Vectors, *, phases: int = 4, seconds: float = 5.0) -> Freshness:
    """Phases of searching alone and of searching while adding, by turns."""
    alone, adding = [], []
    spent = 0.0
    for _ in range(phases):
        alone.append(_p99(growing, queries, seconds))
        started = time.perf_counter()
        with growing.adding():
            adding.append(_p99(growing, queries, seconds))
        spent += time.perf_counter() - started
        growing.settle()
    return Freshness(
        float(np.median(alone)),
        float(np.median(np.array(adding) / np.array(alone))),
        growing.added / spent,
        growing.folds,
        _lost(growing),
    )


def _p99(growing: Growing, queries: Vectors, seconds: float) -> float:
    growing.index.search(queries[:1], K)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        place = len(taken) % len(queries)
        growing.index.search(queries[place : place + 1], K)
        taken.append(time.perf_counter() - started)
    return float(np.quantile(taken, 0.99))


def _lost(growing: Growing) -> int:
    lost = 0
    for row in range(0, growing.added, max(1, growing.added // 200)):
        [found] = growing.index.search(growing._newcomers[row : row + 1].astype(np.float32), K)
        lost += growing.first + row not in found.ids
    return lost
