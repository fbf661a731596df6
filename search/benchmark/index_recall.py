"""An index kind held against exact search: how much of the true top K it returns, and what that costs in Recall@K.

Kinds are looked up by the part of their name before the colon in `KINDS`; a new engine is one entry. Those that
collections are served with are built as for a collection. `faiss:FACTORY` is any structure of FAISS's index factory,
for measuring only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast, get_args

import numpy as np

from indexer.encoder import Embeddings
from indexer.errors import InvalidRequest
from indexer.vectors.approximate import ApproximateBase
from indexer.vectors.bases import Base, build_base
from indexer.vectors.faiss_library import load_faiss, one_thread
from indexer.vectors.planning import IndexKind, IndexPlan
from indexer.vectors.segmented import SegmentedIndex
from search.benchmark.report import CurvePoint, Figures, IndexFigures
from search.benchmark.speed import spread, time_queries
from search.ranks import Float32, Ints

DEPTHS = (10, 100)
"""The K of index recall."""
ENOUGH = 99.0
"""Percent of index recall@10 from which a setting is good enough to be the one reported."""
CURVE_QUERIES, CURVE_TIMED, BATCH = 1000, 100, 256
_SCORES = 1 << 24
_SLACK = 1e-6
"""Two float32 sums of one product differ by less: an item that ties with the K-th counts as one of the top K."""


class MeasuredIndex(Protocol):
    """A built index that can be searched at several settings of its effort."""

    @property
    def kind(self) -> str: ...

    @property
    def settings(self) -> Sequence[str]:
        """From the least effort to the most; one empty name if there is nothing to set."""
        ...

    def search(self, queries: Embeddings, k: int, setting: str) -> Ints:
        """`(queries, k)` rows of the vectors, best first; -1 where the index found no more."""
        ...


@dataclass(frozen=True, slots=True)
class _Ours:
    kind: str
    settings: Sequence[str]
    """Candidates for the best 10, or lists looked into: those that were tried for the calibration."""
    base: Base

    def search(self, queries: Embeddings, k: int, setting: str) -> Ints:
        found = np.full((len(queries), k), -1, np.int64)
        for row, matches in zip(found, self._index(setting).search(queries, k), strict=True):
            row[: len(matches.ids)] = matches.ids
        return found

    def _index(self, setting: str) -> SegmentedIndex:
        base = self.base
        if isinstance(base, ApproximateBase):
            name, _, value = setting.partition("=")
            base = base.with_effort(replace(base.effort, **{name: int(value)}), base.calibration)
        return SegmentedIndex.of(base)


@dataclass(frozen=True, slots=True)
class _Faiss:
    kind: str
    settings: Sequence[str]
    faiss: Any
    index: Any

    def search(self, queries: Embeddings, k: int, setting: str) -> Ints:
        if setting:
            name, _, value = setting.partition("=")
            self.faiss.ParameterSpace().set_index_parameter(self.index, name, int(value))
        with one_thread(self.faiss) if len(queries) == 1 else nullcontext():
            _, rows = self.index.search(np.ascontiguousarray(queries), k)
        return np.asarray(rows, np.int64)


def _build_ours(kind: str, vectors: Embeddings) -> MeasuredIndex:
    """As a collection holds them: float16."""
    plan = IndexPlan(cast(IndexKind, kind))
    base = build_base(plan, np.arange(len(vectors)), vectors.astype(np.float16))
    if not isinstance(base, ApproximateBase) or base.calibration is None:
        return _Ours(base.kind, ("",), base)
    effort = "fetch" if base.found_by.lists == 1 else "probes"
    return _Ours(base.kind, [f"{effort}={point.effort}" for point in base.calibration.curve], base)


def _build_faiss(kind: str, vectors: Embeddings) -> MeasuredIndex:
    faiss = load_faiss()
    factory = kind.partition(":")[2]
    try:
        index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add(vectors)
    except RuntimeError as error:
        reason = _reason(error)
        raise InvalidRequest(f"index kind {kind!r} cannot be built over {len(vectors):,} vectors: {reason}") from error
    return _Faiss(kind, _efforts(factory), faiss, index)


def _efforts(factory: str) -> tuple[str, ...]:
    """What FAISS lets one choose at search time: lists to look into, or the width of the walk through the graph."""
    if lists := re.search(r"IVF(\d+)", factory):
        powers = [1 << power for power in range(int(lists[1]).bit_length())]
        return tuple(f"nprobe={probes}" for probes in powers if probes <= int(lists[1]))
    if "HNSW" in factory:
        return tuple(f"efSearch={width}" for width in (10, 16, 32, 64, 128, 256))
    return ("",)


_OURS = tuple(kind for kind in get_args(IndexKind) if kind != "auto")
KINDS: Mapping[str, Callable[[str, Embeddings], MeasuredIndex]] = {
    **dict.fromkeys(_OURS, _build_ours),
    "faiss": _build_faiss,
}
"""Builders by the name before the colon; they get the whole name and `(n, dimension)` unit rows."""


def check_kind(kind: str) -> None:
    """Raises `InvalidRequest` for a kind that cannot be: before hours of encoding rather than after."""
    name, colon, factory = kind.partition(":")
    if name not in KINDS or (name == "faiss") != bool(factory) or (colon and not factory):
        raise InvalidRequest(
            f"unknown index kind {kind!r}; take one of {', '.join(_OURS)}, or for measuring any FAISS index factory "
            "such as `faiss:HNSW32` or `faiss:IVF64,Flat`"
        )
    if factory:
        faiss = load_faiss()
        try:
            faiss.index_factory(64, factory, faiss.METRIC_INNER_PRODUCT)
        except RuntimeError as error:
            if "could not parse" in str(error):  # all else may be about the dimension, which is not known yet
                raise InvalidRequest(f"FAISS knows no index {factory!r}: {_reason(error)}") from error


def build(kind: str, vectors: Embeddings) -> MeasuredIndex:
    """Raises `InvalidRequest`, such as for more lists than there are vectors to train them with."""
    check_kind(kind)
    return KINDS[kind.partition(":")[0]](kind, np.ascontiguousarray(vectors, np.float32))


@dataclass(frozen=True, slots=True)
class Gallery:
    """What was searched, and with what."""

    vectors: Embeddings
    """`(n, dimension)` unit rows."""
    queries: Embeddings
    right: Ints | None
    """`(queries,)`: the row that each query should find, if there is one."""


def measure(kind: str, gallery: Gallery, exact: Figures) -> tuple[IndexFigures, Callable[[Embeddings], object]]:
    """The figures of an index kind, and a function that searches it for the top 10 at the setting reported.

    `exact` has the `R@K` that cost is counted from; with no right answers there is no cost. The curve is over 1,000
    queries spread over all. The setting reported is the first whose recall@10 is 99 % or more, else the last.
    """
    started = time.perf_counter()
    index = build(kind, gallery.vectors)
    seconds = time.perf_counter() - started
    some = gallery.queries[spread(len(gallery.queries), CURVE_QUERIES)]
    truth = _truth(gallery.vectors, some)
    curve = tuple(_point(index, setting, some, truth) for setting in index.settings)
    chosen = next((point for point in curve if (point.recall[str(DEPTHS[0])] or 0) >= ENOUGH), curve[-1])
    through = _through(index, chosen.setting, gallery)
    figures = IndexFigures(
        kind=index.kind,
        setting=chosen.setting,
        recall=chosen.recall,
        curve=curve,
        text_to_image=through,
        cost={name: _minus(exact.get(name), value) for name, value in through.items()},
        build_seconds=seconds,
        vectors=len(gallery.vectors),
    )
    return figures, lambda queries: index.search(queries, DEPTHS[0], chosen.setting)


@dataclass(frozen=True, slots=True)
class _Truth:
    gallery: Embeddings
    least: Mapping[int, Float32]
    """For each K `(queries,)`: the K-th best score. No entry where the gallery has no more than K items."""


def _truth(vectors: Embeddings, queries: Embeddings) -> _Truth:
    """By scoring everything in float32, 64 MB of scores at a time."""
    depths = [k for k in DEPTHS if k < len(vectors) and len(queries)]
    least = {k: np.empty(len(queries), np.float32) for k in depths}
    step = max(1, _SCORES // max(1, len(vectors)))
    for start in range(0, len(queries) if depths else 0, step):
        scores = queries[start : start + step] @ vectors.T
        places = [len(vectors) - k for k in depths]
        scores.partition(places, axis=1)
        for k, place in zip(depths, places, strict=True):
            least[k][start : start + step] = scores[:, place]
    return _Truth(vectors, least)


def _point(index: MeasuredIndex, setting: str, queries: Embeddings, truth: _Truth) -> CurvePoint:
    def search(some: Embeddings) -> Ints:
        return index.search(some, DEPTHS[0], setting)

    recall: dict[str, float | None] = {str(k): None for k in DEPTHS}
    for k, least in truth.least.items():
        recall[str(k)] = _recall(_searched(index, setting, queries, k), queries, truth.gallery, least)
    times = time_queries(search, queries, most=CURVE_TIMED)
    return CurvePoint(setting, recall, times.p50 if times else 0.0)


def _recall(rows: Ints, queries: Embeddings, gallery: Embeddings, least: Float32) -> float:
    """Percent of the returned that belong to the true top K: their exact score is at least the K-th best."""
    belongs = 0
    for query, found, limit in zip(queries, rows, least, strict=True):
        scores = gallery[found[found >= 0]] @ query
        belongs += int(np.count_nonzero(scores >= limit - _SLACK))
    return 100 * belongs / rows.size


def _through(index: MeasuredIndex, setting: str, gallery: Gallery) -> dict[str, float | None]:
    """R@1, R@5 and R@10 of the right rows among what the index returns, in its own order."""
    if gallery.right is None or not len(gallery.queries):
        return {}
    rows = _searched(index, setting, gallery.queries, DEPTHS[0])
    hit = rows == gallery.right[:, None]
    return {f"R@{k}": 100 * float(hit[:, :k].any(axis=1).mean()) for k in (1, 5, 10)}


def _searched(index: MeasuredIndex, setting: str, queries: Embeddings, k: int) -> Ints:
    starts = range(0, len(queries), BATCH)
    return np.concatenate([index.search(queries[start : start + BATCH], k, setting) for start in starts])


def _minus(exact: float | None, through: float | None) -> float | None:
    return None if exact is None or through is None else exact - through


def _reason(error: RuntimeError) -> str:
    """What FAISS says, without the place in its source that it puts in front."""
    message = " ".join(str(error).split())
    return re.sub(r"^Error in .*? at \S+:\d+: (Error: '.*' failed: )?", "", message)[:160] or "no reason given"
