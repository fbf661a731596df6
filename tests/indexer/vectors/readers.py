"""Threads that search an index while it grows."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from indexer.vectors.segmented import SegmentedIndex


def wrong_while_growing(
    index: SegmentedIndex, queries: NDArray[np.float32], *, bursts: int, size: int, readers: int
) -> list[SegmentedIndex]:
    """The versions in which a reader found something else than at first.

    What is added is far from every query, so that what is found stays the same.
    """
    towards = queries.sum(0, keepdims=True)
    away = np.repeat(-towards / np.linalg.norm(towards), size, axis=0).astype(np.float16)
    expected = found(index, queries)
    holder, wrong, stop = [index], list[SegmentedIndex](), threading.Event()

    def search() -> None:
        while not stop.is_set():
            version = holder[0]
            if found(version, queries) != expected:
                wrong.append(version)

    threads = [threading.Thread(target=search) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for start in range(10_000, 10_000 + bursts * size, size):
        holder[0] = holder[0].changed(np.arange(start, start + size), away, np.empty(0, np.int64))
    stop.set()
    for thread in threads:
        thread.join()
    return wrong


def found(index: SegmentedIndex, queries: NDArray[np.float32]) -> list[tuple[list[int], list[float]]]:
    return [(matches.ids.tolist(), matches.scores.tolist()) for matches in index.search(queries, 10)]
