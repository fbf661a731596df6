"""Search among a part of the ids: the same recall, and faster than filtering afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.vector_search.generator import Vectors
from benchmarks.vector_search.scene import Ints, Scene, least, recall
from benchmarks.vector_search.timing import Timing, take_turns, times_faster
from indexer.vectors import VectorIndex

SHARES = (0.001, 0.01, 0.1, 0.5)
K = 10
PATTERNS = ("random", "correlated")


@dataclass(frozen=True, slots=True)
class Filtered:
    share: float
    pattern: str
    allowed: int
    recall: float
    shortest: int
    """The fewest results of a query; k unless fewer are allowed."""
    ours: Timing
    post_filter: Timing

    @property
    def faster(self) -> float:
        return times_faster(self.ours, self.post_filter)


def measure(scene: Scene, index: VectorIndex, *, queries: int = 40, rounds: int = 3) -> list[Filtered]:
    """Image and text queries by turns."""
    asked = scene.mixed()
    rng = np.random.default_rng(3)
    found = []
    for share in SHARES:
        for pattern in PATTERNS:
            anchor = scene.vectors[rng.integers(scene.size)]
            allowed = allowed_ids(scene, share, pattern, anchor, rng)
            chosen = asked[:queries] if pattern == "random" else nearest_and_furthest(asked, anchor, queries)
            found.append(_measured(scene, index, share, pattern, allowed, chosen, rounds))
    return found


def allowed_ids(scene: Scene, share: float, pattern: str, anchor: Vectors, rng: np.random.Generator) -> Ints:
    """Ascending. `random`, or `correlated`: those most like the anchor, as pictures of one place or album are."""
    count = max(1, round(share * scene.size))
    if pattern == "random":
        return np.sort(rng.choice(scene.size, count, replace=False)).astype(np.int64)
    return np.sort(np.argpartition(-(scene.vectors @ anchor), count - 1)[:count]).astype(np.int64)


def nearest_and_furthest(queries: Vectors, anchor: Vectors, count: int) -> Vectors:
    """By turns: for some, the allowed are what they look for; for others, all that they look for is forbidden."""
    order = np.argsort(-(queries @ anchor))
    half = count // 2
    return np.ascontiguousarray(queries[np.stack([order[:half], order[-half:]], 1).ravel()])


class PostFilter:
    """A flat FAISS search for ever more results until k of them are allowed; after too many, every score, masked."""

    MOST = 4096
    """Results that FAISS is asked for: beyond, its heaps cost more than the scan."""

    def __init__(self, scene: Scene, allowed: Ints) -> None:
        self._flat, self._vectors = scene.flat, scene.vectors
        self._allowed = np.zeros(scene.size, np.bool_)
        self._allowed[allowed] = True
        self._first = 2 * K * len(self._allowed) // len(allowed)

    def search(self, queries: Vectors) -> list[Ints]:
        return [self._one(query[None]) for query in queries]

    def _one(self, query: Vectors) -> Ints:
        fetch = self._first
        while fetch <= min(self.MOST, self._flat.ntotal):
            _, [ids] = self._flat.search(query, fetch)
            found = ids[self._allowed[ids]][:K]
            if len(found) == K:
                return np.asarray(found)
            fetch *= 4
        scores = np.where(self._allowed, self._vectors @ query[0], -np.inf)
        best = np.argpartition(scores, len(scores) - K)[-K:]
        return best[np.argsort(-scores[best])]


def _measured(
    scene: Scene, index: VectorIndex, share: float, pattern: str, allowed: Ints, queries: Vectors, rounds: int
) -> Filtered:
    lowest = least(queries, scene.vectors, (K,), rows=allowed)[K]
    answers: Sequence[Ints] = [index.search(query[None], K, allowed)[0].ids for query in queries]
    post_filter = PostFilter(scene, allowed)
    if not all(np.isin(ids, allowed).all() for ids in answers):
        raise AssertionError(f"{index.kind} answered with forbidden ids")
    timings = take_turns(
        {
            "ours": lambda i: index.search(queries[i : i + 1], K, allowed),
            "post-filter": lambda i: post_filter.search(queries[i : i + 1]),
        },
        len(queries),
        rounds=rounds,
        block=(2, 50),
    )
    return Filtered(
        share,
        pattern,
        len(allowed),
        recall(answers, queries, scene.vectors, lowest, min(K, len(allowed))),
        min(map(len, answers)),
        timings["ours"],
        timings["post-filter"],
    )
