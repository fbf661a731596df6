"""What all engines of one size and dimension get: the same vectors, the same queries, the true answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.generator import Vectors, World
from indexer.vectors.faiss_library import load_faiss

Ints = NDArray[np.int64]
KINDS = ("image", "text")
DEPTHS = (10, 100)
TIE = 1e-6
"""Two float32 sums of the same 512 products differ by less: what ties with the k-th best is as good as it."""

_CHUNK = 1 << 16
_PICTURES, _PICTURE_QUERIES, _TEXT_QUERIES, _TEXT_PROBES = range(4)  # streams of the generator


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    vectors: Vectors
    """`(n, dimension)`."""
    least: dict[int, Vectors]
    """For each depth, `(n,)`: the exact score of the last of the best."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    stored: NDArray[np.float16]
    """`(size, dimension)`, what a collection keeps; ids are row numbers."""
    flat: Any
    """`faiss.IndexFlatIP` over the same values; `vectors` is a view into it, so that there is one float32 copy."""
    vectors: Vectors
    queries: dict[str, Queries]
    """By `KINDS`; held out from the vectors."""
    probes: Vectors
    """Texts to calibrate with; none of them is a query."""

    @property
    def size(self) -> int:
        return len(self.stored)

    @property
    def dimension(self) -> int:
        return int(self.stored.shape[1])

    @property
    def ids(self) -> Ints:
        return np.arange(self.size, dtype=np.int64)

    def mixed(self) -> Vectors:
        """Image and text queries by turns."""
        return np.ascontiguousarray(np.stack([self.queries[kind].vectors for kind in KINDS], 1)).reshape(
            -1, self.dimension
        )


def make_scene(size: int, dimension: int, *, queries: int, seed: int = 0) -> Scene:
    world = World(size, dimension, seed=seed)
    faiss = load_faiss()
    flat = faiss.IndexFlatIP(dimension)
    stored = np.empty((size, dimension), np.float16)
    for start, rows in world.chunks_of_pictures(size, stream=_PICTURES):
        stored[start : start + len(rows)] = rows
        flat.add(stored[start : start + len(rows)].astype(np.float32))
    vectors = faiss.rev_swig_ptr(flat.get_xb(), size * dimension).reshape(size, dimension)
    asked = {
        "image": world.pictures(queries, stream=_PICTURE_QUERIES),
        "text": world.texts(queries, stream=_TEXT_QUERIES),
    }
    judged = {kind: Queries(rows, least(rows, vectors)) for kind, rows in asked.items()}
    return Scene(stored, flat, vectors, judged, world.texts(queries, stream=_TEXT_PROBES))


def least(
    queries: Vectors, vectors: Vectors, depths: Sequence[int] = DEPTHS, rows: Ints | None = None
) -> dict[int, Vectors]:
    """For each depth, `(queries,)`: the score of the last of the best among all vectors, or among `rows`.

    Minus infinity where there are fewer.
    """
    most = max(depths)
    best = np.full((len(queries), most), -np.inf, np.float32)
    for start in range(0, len(vectors) if rows is None else len(rows), _CHUNK):
        block = vectors[start : start + _CHUNK] if rows is None else vectors[rows[start : start + _CHUNK]]
        scores = queries @ block.T
        if scores.shape[1] > most:
            scores = np.partition(scores, scores.shape[1] - most, axis=1)[:, -most:]
        best = -np.sort(-np.concatenate([best, scores], axis=1), axis=1)[:, :most]
    return {depth: best[:, depth - 1] for depth in depths}


def recall(found: Sequence[Ints], queries: Vectors, vectors: Vectors, least_score: Vectors, k: int) -> float:
    """The mean share of the true best k that were found: each id once, whatever ties with the k-th best counting."""
    shares = []
    for ids, query, lowest in zip(found, queries, least_score, strict=True):
        rows = np.unique(ids[:k])
        rows = rows[rows >= 0]  # FAISS pads with -1
        shares.append(min(k, int((vectors[rows] @ query >= lowest - TIE).sum())) / k)
    return float(np.mean(shares))
