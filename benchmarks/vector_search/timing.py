"""Clocks: engines take turns in short blocks, so that a busy machine is busy for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from indexer.vectors.faiss_library import load_faiss

Run = Callable[[int], object]
"""Answers the query of that number."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a call."""

    rounds: tuple[tuple[float, ...], ...]

    @property
    def calls(self) -> int:
        return sum(map(len, self.rounds))

    @property
    def median(self) -> float:
        return float(np.median(np.concatenate(self.rounds)))

    @property
    def p99(self) -> float:
        """Of fewer than a hundred calls the longest, or nearly."""
        return float(np.quantile(np.concatenate(self.rounds), 0.99))


def times_faster(fast: Timing, slow: Timing) -> float:
    """The median over the rounds of what the one's median is to the other's in the same round."""
    pairs = zip(fast.rounds, slow.rounds, strict=True)
    return float(np.median([np.median(theirs) / np.median(ours) for ours, theirs in pairs]))


def take_turns(
    runs: Mapping[str, Run],
    queries: int,
    *,
    rounds: int = 9,
    seconds: float = 0.2,
    block: tuple[int, int] = (3, 100),
    warm: int = 2,
) -> dict[str, Timing]:
    """In every round each run answers a block of queries, as many as fit into `seconds` within the limits of `block`.

    Blocks and not single calls by turns, as a scan of everything would empty the processor's caches for the next one,
    which is not how a server lives. So many calls as `warm` says before each block are not counted.
    """
    sizes = {}
    for name, run in runs.items():
        run(0)
        started = time.perf_counter()
        run(1 % queries)
        sizes[name] = int(np.clip(seconds / (time.perf_counter() - started), *block))
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            first = number * sizes[name]
            found[name].append(_timed(run, [(first + i) % queries for i in range(sizes[name])], warm))
    return {name: Timing(tuple(blocks)) for name, blocks in found.items()}


def _timed(run: Run, numbers: Sequence[int], warm: int) -> tuple[float, ...]:
    for number in numbers[len(numbers) - min(warm, len(numbers)) :]:
        run(number)
    seconds = []
    for number in numbers:
        started = time.perf_counter()
        run(number)
        seconds.append(time.perf_counter() - started)
    return tuple(seconds)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Of every OpenMP and BLAS pool in the process, FAISS's own included."""
    faiss = load_faiss()
    before = faiss.omp_get_max_threads()
    with threadpool_limits(count):
        faiss.omp_set_num_threads(count)
        try:
            yield
        finally:
            faiss.omp_set_num_threads(before)
