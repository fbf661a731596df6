"""A graph of near neighbours (HNSW) over float16: the fastest walk to the nearest, at twenty times the memory of codes.

Only on request. It takes far longer to build, and finds little under a filter, so that filtered searches score all that
is eligible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Mask, Stored, Vectors
from indexer.vectors.faiss_library import load_faiss, one_thread
from indexer.vectors.scoring import as_float32

_LINKS = 32
_ADDED = 1 << 14  # rows converted to float32 at a time


@dataclass(frozen=True, slots=True, eq=False)
class Hnsw:
    """See `Structure`."""

    kind: ClassVar[str] = "hnsw"
    lists: ClassVar[int] = 1
    filters: ClassVar[bool] = False
    nested: ClassVar[bool] = False

    faiss: Any
    index: Any
    """`IndexHNSWSQ`."""

    def parameters(self) -> dict[str, int]:
        return {"links": _LINKS}

    def nearest(
        self, queries: Vectors, most: int, probes: int, eligible: Mask | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Never with a selection, see `filters`."""
        with one_thread(self.faiss):
            scores, rows = self.index.search(queries, most, params=self.faiss.SearchParametersHNSW(efSearch=most))
        return scores, rows

    def extended(self, vectors: Vectors, own: Stored) -> None:
        return None  # a graph cannot grow while it is searched, and takes long to copy

    def to_bytes(self) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.faiss.serialize_index(self.index)
        return found


def build_hnsw(vectors: Stored) -> Hnsw:
    """Over `(n, dimension)` rows, numbered from 0; takes tens of seconds for each 100,000."""
    faiss = load_faiss()
    index = faiss.index_factory(vectors.shape[1], f"HNSW{_LINKS},SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.train(as_float32(vectors[:1]))
    for start in range(0, len(vectors), _ADDED):
        index.add(as_float32(vectors[start : start + _ADDED]))
    return Hnsw(faiss, index)


def restore_hnsw(structure: NDArray[np.uint8]) -> Hnsw:
    """Raises ValueError for bytes that are something else."""
    faiss = load_faiss()
    try:
        index = faiss.deserialize_index(structure)
    except RuntimeError as error:
        raise ValueError(f"not a structure of FAISS: {error}") from error
    if not isinstance(index, faiss.IndexHNSW):
        raise ValueError(f"a {type(index).__name__} is not of kind 'hnsw'")
    return Hnsw(faiss, index)
