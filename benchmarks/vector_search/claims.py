"""What was measured -> the lines of the goals table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.goals import Line, at_least, at_most, plain
from benchmarks.vector_search.comparison import BATCH, Row
from benchmarks.vector_search.filters import Filtered
from benchmarks.vector_search.freshness import Freshness
from benchmarks.vector_search.gpu import OnGpu
from benchmarks.vector_search.opening import Opening
from benchmarks.vector_search.timing import times_faster

DIMENSION, THREADS = 512, 1
"""The goals are for these; the table of engines has the others."""
RECALL, IVF_RECALL = 0.99, 0.985
MILLION = 1_000_000
OVER_NUMPY = {100_000: 20.0, MILLION: 12.0}
IVF_OVER_NUMPY = {MILLION: 90.0}


@dataclass(frozen=True, slots=True)
class Place:
    size: int
    dimension: int
    threads: int

    @property
    def name(self) -> str:
        return f"{self.size:,} x {self.dimension}"

    @property
    def of_goals(self) -> bool:
        return (self.dimension, self.threads) == (DIMENSION, THREADS)


GPU_PLACE = Place(MILLION, DIMENSION, THREADS)


@dataclass(slots=True)
class Measured:
    engines: dict[Place, dict[str, Row | str]] = field(default_factory=dict)
    """By name; a reason in place of those that could not run."""
    filtered: dict[Place, list[Filtered]] = field(default_factory=dict)
    """By Sightline's kind for the size."""
    fresh: dict[Place, Freshness] = field(default_factory=dict)
    opened: dict[Place, Opening] = field(default_factory=dict)
    gpu: OnGpu | str = "not run"


def lines(measured: Measured) -> list[Line]:
    found: list[Line] = []
    for place, rows in measured.engines.items():
        if place.of_goals:
            found += _against_numpy(place, rows)
            found += _against_others(place, rows)
    for place, filtered in measured.filtered.items():
        found += _filters(place, filtered)
    for place, fresh in measured.fresh.items():
        found += _freshness(place, fresh)
    for place, opened in measured.opened.items():
        found += _opening(place, opened)
    return [*found, *_gpu(measured.gpu)]


def kind_for(rows: Mapping[str, Row | str]) -> str:
    """Sightline's own choice stands first."""
    return next(name for name in rows if name.startswith("Sightline"))


def _against_numpy(place: Place, rows: Mapping[str, Row | str]) -> Iterator[Line]:
    numpy = rows.get("numpy")
    for name, row in rows.items():
        if not name.startswith("Sightline") or isinstance(row, str) or not isinstance(numpy, Row):
            continue
        goals, recall = (IVF_OVER_NUMPY, IVF_RECALL) if "ivf" in name else (OVER_NUMPY, RECALL)
        goal = goals.get(place.size) if "ivf" in name or name == kind_for(rows) else None
        about = f"{place.name}, {name}"
        yield plain(f"{about}: p50, ms", 1000 * row.single.median)
        speed, words = times_faster(row.single, numpy.single), f"{about}: p50, times faster than NumPy"
        if goal is None:
            yield plain(words, speed)
            yield plain(f"{about}: recall@10, the worse of image and text queries", row.recall10)
        else:
            yield at_least(words, speed, goal, provided=row.recall10 >= recall)
            yield at_least(f"{about}: recall@10, the worse of image and text queries", row.recall10, recall)


@dataclass(frozen=True, slots=True)
class _Against:
    """A goal beside a peer."""

    peer: str
    words: str
    bound: Callable[..., Line]
    goal: float
    value: Callable[[Row, Row], float]
    """Of ours and the peer's."""
    ours: str | None = None
    """None for Sightline's own choice."""


_OTHERS = (
    _Against(
        "rclip-like sort",
        "p50, times faster than an rclip-like sort",
        at_least,
        90,
        lambda ours, peer: times_faster(ours.single, peer.single),
    ),
    _Against(
        "hnswlib",
        "build, times faster than hnswlib",
        at_least,
        5,
        lambda ours, peer: peer.build_seconds / ours.build_seconds,
    ),
    _Against(
        "hnswlib",
        "p50 over hnswlib's at the same recall",
        at_most,
        1.2,
        lambda ours, peer: 1 / times_faster(ours.single, peer.single),
    ),
    _Against(
        "hnswlib",
        "hot bytes a vector, times fewer than hnswlib",
        at_least,
        20,
        lambda ours, peer: peer.hot_bytes / ours.hot_bytes,
    ),
    _Against(
        "FAISS flat",
        f"batch of {BATCH}, times faster than FAISS flat as installed",
        at_least,
        15,
        lambda ours, peer: times_faster(ours.batch, peer.batch) if ours.batch and peer.batch else 0.0,
        "Sightline exact",
    ),
)


def _against_others(place: Place, rows: Mapping[str, Row | str]) -> Iterator[Line]:
    if place.size != 100_000:
        return
    for goal in _OTHERS:
        name = goal.ours or kind_for(rows)
        ours, peer = rows.get(name, "not run"), rows.get(goal.peer, "not run")
        if isinstance(ours, Row) and isinstance(peer, Row):
            value: float | str = goal.value(ours, peer)
        else:
            value = peer if isinstance(peer, str) else "not run"
        yield goal.bound(f"{place.name}, {name}: {goal.words}", value, goal.goal)


def _filters(place: Place, found: list[Filtered]) -> Iterator[Line]:
    for one in found:
        about = f"{place.name}, {one.share:.1%} allowed, {one.pattern}"
        yield at_least(f"{about}: recall@10", one.recall, 1.0, provided=one.shortest >= min(10, one.allowed))
        words = f"{about}: p50, times faster than post-filtering"
        if one.share == 0.01 and one.pattern == "random" and place.size == MILLION:
            yield at_least(words, one.faster, 20, provided=one.recall >= 1)
        else:
            yield plain(words, one.faster)


def _freshness(place: Place, fresh: Freshness) -> Iterator[Line]:
    about = f"{place.name}, adding {fresh.added_a_second:,.0f} vectors a second ({fresh.folds} new bases built)"
    kept_up = fresh.added_a_second >= 900 and fresh.lost == 0
    yield plain(f"{about}: p99 without adding, ms", 1000 * fresh.p99_alone)
    yield at_most(f"{about}: p99 over that without adding", fresh.ratio, 1.5, provided=kept_up)


def _opening(place: Place, opened: Opening) -> Iterator[Line]:
    about = f"{place.name}, a collection of {opened.kind}"
    first, hot = f"{about}: first query after opening, s", f"{about}: hot bytes a vector"
    if opened.images >= MILLION:
        yield at_most(first, opened.first_query, 1.0)
        yield at_most(hot, opened.hot_bytes, 100)
    else:
        yield plain(first, opened.first_query)
        yield plain(hot, opened.hot_bytes)
    yield plain(f"{about}: bytes a vector resident after 200 queries", opened.resident_bytes)


def _gpu(on: OnGpu | str) -> Iterator[Line]:
    about = f"{GPU_PLACE.name} exact on a GPU"
    over_floor, over_single = (on, on) if isinstance(on, str) else (on.over_floor, on.batch_over_single)
    yield at_most(f"{about}: time of a query over the bandwidth floor", over_floor, 2)
    yield at_most(f"{about}: batch of {BATCH} over a single query", over_single, 1.3)
