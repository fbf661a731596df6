"""Sightline's index, as a collection builds it, behind the interface of its peers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.vector_search.engines import Built
from benchmarks.vector_search.generator import Vectors
from benchmarks.vector_search.scene import Ints, Scene
from benchmarks.vector_search.timing import threads
from indexer.vectors.planning import IndexKind, IndexPlan
from indexer.vectors.segmented import SegmentedIndex


class Sightline:
    """At the effort that its own calibration chose."""

    efforts: Sequence[int] = ()
    exact = False

    def __init__(self, index: SegmentedIndex) -> None:
        self.name = f"Sightline {index.kind}"
        self.index = index
        self.hot_bytes = hot_bytes(index)

    def set_effort(self, effort: int) -> None: ...

    def search(self, queries: Vectors, k: int) -> Sequence[Ints]:
        return [matches.ids for matches in self.index.search(queries, k)]


def hot_bytes(index: SegmentedIndex) -> float:
    """A vector: the structure and the ids; where there is no structure, the vectors that are scanned.

    The float16 vectors of an approximate kind stay in their file, and of them a query touches a few hundred.
    """
    structure = index.base.structure()
    scanned = getattr(index.base, "_scanned", index.base.vectors) if structure is None else structure
    return float(scanned.nbytes + index.base.ids.nbytes) / max(1, len(index))


def build_ours(scene: Scene, kind: IndexKind, recall: float, thread_count: int) -> Built:
    """Calibration included, as nobody gets an index without."""
    plan = IndexPlan(kind=kind, recall=recall)
    with threads(thread_count):
        started = time.perf_counter()
        index = SegmentedIndex.build(scene.ids, scene.stored, plan, scene.probes)
        seconds = time.perf_counter() - started
    return Built(Sightline(index), seconds)
