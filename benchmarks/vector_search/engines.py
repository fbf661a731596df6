"""The engines beside ours, behind one small interface. What is not installed is named, not passed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search import timing
from benchmarks.vector_search.generator import Vectors
from benchmarks.vector_search.scene import Ints, Scene
from indexer.vectors.faiss_library import load_faiss

WIDTHS = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Of the walk through a graph."""


class Engine(Protocol):
    """Something built that can be searched."""

    name: str
    efforts: Sequence[int]
    """From the least to the most; empty if there is nothing to set."""
    exact: bool
    """By construction: a few queries are enough to see it."""
    hot_bytes: float
    """A vector: what has to be in memory to answer at this speed."""

    def set_effort(self, effort: int) -> None: ...

    def search(self, queries: Vectors, k: int) -> Sequence[Ints] | NDArray[Any]:
        """Ids of the best k of each of `(n, dimension)` queries, best first."""
        ...


Build = Callable[[Scene, int], Engine]
"""Builds over a scene's vectors with that many threads. Raises ImportError if the library is not there."""


@dataclass(frozen=True, slots=True)
class Built:
    engine: Engine
    seconds: float


def build(name: str, scene: Scene, threads: int) -> Built | None:
    """None if the library is not installed."""
    with timing.threads(threads):
        started = time.perf_counter()
        try:
            engine = PEERS[name](scene, threads)
        except ImportError:
            return None
    return Built(engine, time.perf_counter() - started)


class NumPy:
    """`matmul`, `argpartition`, and a sort of the k."""

    efforts: Sequence[int] = ()
    exact = True

    def __init__(self, scene: Scene, threads: int) -> None:
        self.name = "numpy"
        self.hot_bytes = 4.0 * scene.dimension
        self._vectors = scene.vectors

    def set_effort(self, effort: int) -> None: ...

    def search(self, queries: Vectors, k: int) -> NDArray[Any]:
        scores = queries @ self._vectors.T
        best = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        return np.take_along_axis(best, order, axis=1)


class Sorted:
    """As rclip ranks: every score and its number, sorted in Python."""

    efforts: Sequence[int] = ()
    exact = True

    def __init__(self, scene: Scene, threads: int) -> None:
        self.name = "rclip-like sort"
        self.hot_bytes = 4.0 * scene.dimension
        self._vectors = scene.vectors

    def set_effort(self, effort: int) -> None: ...

    def search(self, queries: Vectors, k: int) -> Sequence[Ints]:
        return [self._one(query, k) for query in queries]

    def _one(self, query: Vectors, k: int) -> Ints:
        scores = query @ self._vectors.T
        ranked = sorted(zip(scores, range(len(scores)), strict=True), key=lambda pair: pair[0], reverse=True)
        return np.array([number for _, number in ranked[:k]])


class Faiss:
    """An index of FAISS's own, searched as installed."""

    def __init__(self, name: str, index: Any, hot_bytes: float, effort: str = "", efforts: Sequence[int] = ()) -> None:
        self.name, self.hot_bytes, self.efforts = name, hot_bytes, efforts
        self.index, self._effort, self.exact = index, effort, not effort

    def set_effort(self, effort: int) -> None:
        if self._effort:
            load_faiss().ParameterSpace().set_index_parameter(self.index, self._effort, effort)

    def search(self, queries: Vectors, k: int) -> NDArray[Any]:
        _, ids = self.index.search(queries, k)
        return np.asarray(ids)


def faiss_flat(scene: Scene, threads: int) -> Engine:
    return Faiss("FAISS flat", scene.flat, 4.0 * scene.dimension)


def faiss_hnsw(scene: Scene, threads: int) -> Engine:
    faiss = load_faiss()
    index = faiss.IndexHNSWFlat(scene.dimension, 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 80
    index.add(scene.vectors)
    links = 4 * index.hnsw.neighbors.size() + 8 * index.hnsw.offsets.size()
    return Faiss("FAISS HNSW32", index, 4.0 * scene.dimension + links / scene.size, "efSearch", WIDTHS)


def faiss_ivf(scene: Scene, threads: int) -> Engine:
    """As many lists as FAISS's guide says, 4 sqrt(n), rounded to a power of two."""
    faiss = load_faiss()
    lists = 1 << round(np.log2(4 * np.sqrt(scene.size)))
    index = faiss.index_factory(scene.dimension, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    some = np.random.default_rng(0).choice(scene.size, min(scene.size, 50 * lists), replace=False)
    index.train(scene.vectors[np.sort(some)])
    index.add(scene.vectors)
    hot = 4 * scene.dimension * (1 + lists / scene.size) + 8
    return Faiss(f"FAISS IVF{lists}", index, hot, "nprobe", [1 << power for power in range(lists.bit_length() - 1)])


class Hnswlib:
    efforts: Sequence[int] = WIDTHS
    exact = False

    def __init__(self, scene: Scene, threads: int) -> None:
        import hnswlib

        self.name = "hnswlib"
        self._threads = threads
        self._index = hnswlib.Index("ip", scene.dimension)
        self._index.init_index(scene.size, M=16, ef_construction=200)
        self._index.add_items(scene.vectors, scene.ids, num_threads=threads)
        self.hot_bytes = self._index.index_file_size() / scene.size

    def set_effort(self, effort: int) -> None:
        self._effort = effort

    def search(self, queries: Vectors, k: int) -> NDArray[Any]:
        self._index.set_ef(max(self._effort, k))
        ids, _ = self._index.knn_query(queries, k, num_threads=self._threads)
        return np.asarray(ids, np.int64)


class Usearch:
    efforts: Sequence[int] = WIDTHS
    exact = False

    def __init__(self, scene: Scene, threads: int) -> None:
        from usearch.index import Index

        self.name = "usearch"
        self._threads = threads
        self._index = Index(ndim=scene.dimension, metric="ip", dtype="f32")
        self._index.add(scene.ids.astype(np.uint64), scene.vectors, threads=threads)
        self.hot_bytes = self._index.memory_usage / scene.size

    def set_effort(self, effort: int) -> None:
        self._index.expansion_search = effort

    def search(self, queries: Vectors, k: int) -> NDArray[Any]:
        keys = self._index.search(queries, k, threads=self._threads).keys
        return np.atleast_2d(np.asarray(keys)).astype(np.int64)


PEERS: Mapping[str, Build] = {
    "numpy": NumPy,
    "rclip-like sort": Sorted,
    "FAISS flat": faiss_flat,
    "FAISS IVF": faiss_ivf,
    "FAISS HNSW": faiss_hnsw,
    "hnswlib": Hnswlib,
    "usearch": Usearch,
}
