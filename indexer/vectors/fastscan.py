"""Codes of about a bit a dimension that are compared sixteen to thirty-two at a time in registers (FAISS's FastScan).

`pq` and `rabitq` have one list, which is scanned whole; `ivf` has many product-quantised ones and looks into a few.
Structures with one list are IVF all the same, because FAISS's flat FastScan structures know no selection of rows.

Product-quantised vectors are turned first, so that the codes are spent on the directions in which vectors differ. Of
100,000 x 512 (`benchmarks.vector_search.generator`) 200 candidates then hold 0.994 of the best 10 for images and 0.992
for texts, else 0.984 and 0.962; RaBitQ's, which take twice as long to scan, 0.998 and 0.858.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Mask, Stored, Vectors
from indexer.vectors.faiss_library import load_faiss, one_thread
from indexer.vectors.scoring import as_float32, dots

Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores, descending, and rows, `(queries, n)` both."""

KINDS = ("pq", "rabitq", "ivf")

_ADDED = 1 << 14  # rows converted to float32 at a time
_TRAINED = 1 << 14  # rows that codes are learned from, which have sixteen centroids for each of their parts
_TRAINED_A_LIST = 40
_LISTS = 4096  # at most: finding the nearest of more takes longer than it saves
_SPARED = 0.27
"""Share of the variance that may lie in the lesser half of the directions if that half is to have no code: two bits a
direction leave 0.12 of its variance as error, one bit 0.36 (Lloyd-Max, of a Gaussian), none all of it."""
_SAMPLED = 256  # at most, of newer vectors and of those that codes were learned from, to see whether they are alike
_RARE, _TOLERANCE = 0.01, 0.01
_STRANGERS = 0.05
"""More newer vectors than this that are told worse than nearly all older ones, and none of them are coded."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FastScan:
    """See `Structure`."""

    kind: str
    faiss: Any
    index: Any
    """`IndexIVFRaBitQFastScan`, or `IndexPreTransform` over `IndexIVFPQFastScan`."""
    newer: FastScan | None = None
    """Over rows that are numbered after those of `index`; by the same codec, so that their scores compare."""
    _lists: Any = field(init=False)
    """The IVF structure itself."""
    _turn: Vectors | None = field(init=False)
    """`(turned, dimension)`: what queries are multiplied with."""
    _plain: dict[int, Any] = field(init=False, default_factory=dict)
    """Search parameters by number of lists, which take as long to make as a scan of 20,000."""

    filters: ClassVar[bool] = True
    nested: ClassVar[bool] = True

    def __post_init__(self) -> None:
        faiss, lists, turn = self.faiss, self.index, None
        if isinstance(lists, faiss.IndexPreTransform):
            linear = faiss.downcast_VectorTransform(lists.chain.at(0))
            turn = faiss.vector_to_array(linear.A).reshape(linear.d_out, linear.d_in)
            lists = faiss.downcast_index(lists.index)
        object.__setattr__(self, "_lists", lists)
        object.__setattr__(self, "_turn", turn)

    @property
    def lists(self) -> int:
        """One for `pq` and `rabitq`."""
        return int(self._lists.nlist)

    def parameters(self) -> dict[str, int]:
        return {"lists": self.lists, "code_bytes": int(self._lists.code_size), "directions": int(self._lists.d)}

    def nearest(self, queries: Vectors, most: int, probes: int, eligible: Mask | None) -> Found:
        if self._turn is not None:  # one by one, as a product of matrices is rounded otherwise for another batch
            queries = np.stack([dots(self._turn, query) for query in queries])
        size = self.index.ntotal
        with one_thread(self.faiss):
            found = self._search(queries, most, probes, None if eligible is None else eligible[:size])
            if self.newer is None:
                return found
            newer = self.newer._search(queries, most, probes, None if eligible is None else eligible[size:])
        return _merged(found, newer, size)

    def _search(self, turned: Vectors, most: int, probes: int, eligible: Mask | None) -> Found:
        if eligible is None:
            parameters = self._plain.get(probes) or self.faiss.SearchParametersIVF(nprobe=probes)
            self._plain[probes] = parameters
        else:
            bits = np.packbits(eligible, bitorder="little")  # has to live as long as the selector
            selector = self.faiss.IDSelectorBitmap(len(eligible), self.faiss.swig_ptr(bits))
            parameters = self.faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        scores, rows = self._lists.search(turned, most, params=parameters)
        return scores, rows

    def extended(self, vectors: Vectors, own: Stored) -> FastScan | None:
        """To clone 8,000 codes takes 0.02 ms, to code 256 vectors of 512 dimensions 2 ms; the first time the index is
        cloned, to be emptied, 1 ms for each 100,000."""
        if not self._fits(vectors, own):
            return None
        if self.newer is None:
            grown = self.faiss.clone_index(self.index)
            grown.reset()
        else:
            grown = self.faiss.clone_index(self.newer.index)
        with one_thread(self.faiss):
            _add(grown, vectors)
        return replace(self, newer=FastScan(self.kind, self.faiss, grown))

    def _fits(self, vectors: Vectors, own: Stored) -> bool:
        """Whether the directions that are coded tell as much of them as of its own.

        5,000 vectors that differ along others, beside 100,000, were found by texts with a recall of 0.91, not 0.99.
        """
        if self._turn is None:
            return True
        least = np.quantile(_told(own, self._turn), _RARE) - _TOLERANCE
        return bool(np.mean(_told(vectors, self._turn) < least) <= _STRANGERS)

    def to_bytes(self) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self.faiss.serialize_index(self.index)
        return found


def build_fastscan(kind: str, vectors: Stored) -> FastScan:
    """Over `(n, dimension)` rows, at least 256; numbered from 0."""
    faiss = load_faiss()
    size, dimension = vectors.shape
    lists = 1 if kind != "ivf" else min(_LISTS, 1 << max(0, round(math.log2(4 * math.sqrt(size)))))
    lists = max(1, min(lists, size // _TRAINED_A_LIST))
    sample = np.random.default_rng(0).choice(size, min(size, max(_TRAINED, lists * _TRAINED_A_LIST)), replace=False)
    training = as_float32(vectors[np.sort(sample)])
    if kind == "rabitq":
        codes = index = faiss.index_factory(dimension, f"IVF{lists},RaBitQfs", faiss.METRIC_INNER_PRODUCT)
    else:
        turn = _turn(training[:_TRAINED])
        factory = f"IVF{lists},PQ{max(1, dimension // 4)}x4fs"
        codes = faiss.index_factory(len(turn), factory, faiss.METRIC_INNER_PRODUCT)
        codes.pq.cp.min_points_per_centroid = 1
        linear = faiss.LinearTransform(dimension, len(turn), False)
        faiss.copy_array_to_vector(turn.ravel(), linear.A)
        linear.is_trained = True
        index = faiss.IndexPreTransform(linear, codes)
    codes.cp.min_points_per_centroid = 1
    _train(faiss, index, codes, training)
    _add(index, vectors)
    return FastScan(kind, faiss, index)


def _train(faiss: Any, index: Any, codes: Any, training: Vectors) -> None:
    """Finding the centroids of many lists takes most of a build; where FAISS has GPUs, they do it.

    FAISS's own lists and codes stay on the processor. `codes` is the IVF structure in `index`, or `index` itself.
    """
    try:
        if codes.nlist > 1 and faiss.get_num_gpus():
            centroids = faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(codes.d))  # has to live as long as the training
            codes.clustering_index = centroids
            index.train(training)
            _log.info("the centroids of %d lists were found on %d GPUs", codes.nlist, faiss.get_num_gpus())
            return
    except RuntimeError as error:
        _log.warning("the centroids of %d lists are found on the processor: %s", codes.nlist, error)
    finally:
        codes.clustering_index = None
    index.train(training)


def _add(index: Any, vectors: Stored) -> None:
    for start in range(0, len(vectors), _ADDED):
        index.add(as_float32(vectors[start : start + _ADDED]))


def _told(vectors: Stored, turn: Vectors) -> Vectors:
    """Of some of them, how much of the squared length lies in the directions that are coded."""
    some = as_float32(vectors[:: -(-len(vectors) // _SAMPLED)])
    told: Vectors = np.square(some @ turn.T).sum(axis=1)
    return told


def _merged(older: Found, newer: Found, size: int) -> Found:
    """The best of both, as many as there are of each; the rows of the newer are numbered from `size`."""
    rows = np.concatenate([older[1], np.where(newer[1] < 0, -1, newer[1] + size)], axis=1)
    scores = np.concatenate([older[0], newer[0]], axis=1)
    scores[rows < 0] = -np.inf  # what pads has a score by which it might stand before others
    best = np.argsort(-scores, axis=1, kind="stable")[:, : older[0].shape[1]]
    return np.take_along_axis(scores, best, axis=1), np.take_along_axis(rows, best, axis=1)


def restore_fastscan(kind: str, structure: NDArray[np.uint8]) -> FastScan:
    """Raises ValueError for bytes that are something else."""
    faiss = load_faiss()
    try:
        index = faiss.deserialize_index(structure)
    except RuntimeError as error:
        raise ValueError(f"not a structure of FAISS: {error}") from error
    if not isinstance(index, faiss.IndexIVFRaBitQFastScan if kind == "rabitq" else faiss.IndexPreTransform):
        raise ValueError(f"a {type(index).__name__} is not of kind {kind!r}")
    return FastScan(kind, faiss, index)


def _turn(training: Vectors) -> Vectors:
    """`(turned, dimension)`, orthonormal rows: the directions in which the vectors differ most, mixed at random so that
    all parts of a code have as much to tell; half of the directions, or all if they matter.

    Nothing is subtracted, so that products with a turned query are what they were.
    """
    dimension = training.shape[1]
    variances, directions = np.linalg.eigh(np.cov(training.T).reshape(dimension, dimension))
    parts = max(1, dimension // 4)
    half = min(dimension, 2 * parts)
    spared = variances[: dimension - half].sum() <= _SPARED * variances.sum()
    turned = half if spared else min(dimension, 4 * parts)
    mix, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((turned, turned)))
    found: Vectors = (mix @ directions[:, dimension - turned :].T).astype(np.float32)
    return found
