"""All engines of one scene, each at the least effort that reaches the recall asked for, timed by turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.vector_search.engines import Built, Engine
from benchmarks.vector_search.generator import Vectors
from benchmarks.vector_search.scene import DEPTHS, KINDS, Scene, recall
from benchmarks.vector_search.timing import Run, Timing, take_turns, threads

BATCH = 64
SWEPT = 100
"""Queries of each kind at each effort, for the curve."""
FEW = 20
"""Queries of each kind that show an exact engine to be exact."""


@dataclass(frozen=True, slots=True)
class Point:
    """One effort of an engine."""

    effort: int | None
    recall: float
    """At 10, of image and text queries together."""
    worst: float
    """At 10, of the kind of query that fares worse."""
    seconds: float
    """Median of a single query for 10."""


@dataclass(frozen=True, slots=True)
class Row:
    """An engine at its chosen effort."""

    engine: str
    build_seconds: float
    hot_bytes: float
    effort: int | None
    recalls: dict[tuple[str, int], float]
    """By kind of query and depth."""
    single: Timing
    """A query for 10 results, image and text by turns."""
    batch: Timing | None
    """64 queries at once."""
    curve: tuple[Point, ...]

    @property
    def recall10(self) -> float:
        """Of the kind of query that fares worse."""
        return min(self.recalls[kind, 10] for kind in KINDS)


Progress = Callable[[str], None]


def compare(
    scene: Scene,
    engines: Mapping[str, Built],
    *,
    target: float,
    thread_count: int = 1,
    rounds: int = 9,
    unbatched: Sequence[str] = (),
    say: Progress = lambda words: None,
) -> dict[str, Row | str]:
    """By engine. `unbatched` are left out of the batches: their time is that of as many single queries."""
    with threads(thread_count):
        curves = {}
        for name, built in engines.items():
            say(f"recall of {name}")
            curves[name] = sweep(scene, built.engine, target)
        chosen = {name: _chosen(curve, target) for name, curve in curves.items()}
        recalls = {name: _recalls(scene, built.engine, chosen[name]) for name, built in engines.items()}
        say("single queries")
        asked = scene.mixed()
        alone = {name: _single(built.engine, asked) for name, built in engines.items()}
        singles = take_turns(alone, len(asked), rounds=rounds)
        say(f"batches of {BATCH}")
        together = {name: _batch(b.engine, asked) for name, b in engines.items() if name not in unbatched}
        batches = take_turns(together, len(asked), rounds=3, seconds=0.5, block=(1, 5), warm=0)
    return {
        name: Row(
            name,
            built.seconds,
            built.engine.hot_bytes,
            chosen[name],
            recalls[name],
            singles[name],
            batches.get(name),
            curves[name],
        )
        for name, built in engines.items()
    }


def sweep(scene: Scene, engine: Engine, target: float) -> tuple[Point, ...]:
    """Every effort up to the first that finds nearly everything; leaves the engine at the last one."""
    points = []
    for effort in engine.efforts or (None,):
        points.append(_point(scene, engine, effort))
        if points[-1].worst >= max(target, 0.999):
            break
    return tuple(points)


def _point(scene: Scene, engine: Engine, effort: int | None) -> Point:
    if effort is not None:
        engine.set_effort(effort)
    shares = [_recall(scene, engine, kind, 10, SWEPT) for kind in KINDS]
    asked = scene.mixed()[:SWEPT]
    timing = take_turns({"": _single(engine, asked)}, len(asked), rounds=1, seconds=0.1)
    return Point(effort, sum(shares) / len(shares), min(shares), timing[""].median)


def _chosen(curve: Sequence[Point], target: float) -> int | None:
    """The least effort that reaches the target; the most if none does."""
    return next((point.effort for point in curve if point.worst >= target), curve[-1].effort)


def _recalls(scene: Scene, engine: Engine, effort: int | None) -> dict[tuple[str, int], float]:
    if effort is not None:
        engine.set_effort(effort)
    return {(kind, k): _recall(scene, engine, kind, k) for kind in KINDS for k in DEPTHS}


def _recall(scene: Scene, engine: Engine, kind: str, k: int, most: int | None = None) -> float:
    most = FEW if engine.exact else most
    queries = scene.queries[kind]
    found = [row for query in queries.vectors[:most] for row in engine.search(query[None], k)]
    return recall(found, queries.vectors[:most], scene.vectors, queries.least[k][:most], k)


def _single(engine: Engine, queries: Vectors) -> Run:
    return lambda number: engine.search(queries[number : number + 1], 10)


def _batch(engine: Engine, queries: Vectors) -> Run:
    starts = max(1, len(queries) - BATCH + 1)
    return lambda number: engine.search(queries[number % starts :][:BATCH], 10)
