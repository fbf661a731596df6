"""How much of the true best an approximate index finds, and how much effort it is given so that it finds enough.

Image queries are vectors of the collection, which are left out of their own answers; text queries are probes that come
with the build. They have to be measured apart: texts lie elsewhere than images, and their neighbours are less told
apart. A target is met when the mean recall less its standard error reaches it, at 10 and at 100, for both.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.vectors import Rows, Stored, Vectors
from indexer.vectors.scoring import products, scan

if TYPE_CHECKING:
    from indexer.vectors.approximate import ApproximateBase

QUERIES = 200
"""Of each kind. At a million x 512 the truth for both takes six seconds on one thread."""
DEPTHS = (10, 100)

_TIMED = 20
_OCTAVE, _FIRST = 4, 16  # efforts from one to its double; the place of 64, where trying begins
_TIE = 1e-6  # two float32 sums of the same products differ by less

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Effort:
    fetch: int
    """Candidates for the best 10."""
    probes: int
    """Lists looked into; of structures without lists, 1."""


@dataclass(frozen=True, slots=True)
class Point:
    """Recall at one effort: the share of the true best that were found, 0 to 1."""

    effort: int
    recall10_images: float
    recall100_images: float
    recall10_texts: float | None
    """None without text queries to probe with."""
    recall100_texts: float | None
    ms: float
    """Median of one query for the best 10, in milliseconds, on one thread."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured after a build; `to_json` is its form beside the index and in `GET /api/stats`."""

    target: float
    kind: str
    parameters: Mapping[str, int]
    """Of the structure, such as the number of its lists."""
    curve: tuple[Point, ...]
    """By ascending effort, as far as it had to be raised."""
    chosen: int
    """The effort searches take."""
    reached: bool
    """Whether the target is met there; if not, it is the highest effort there is."""
    queries: Mapping[str, int]
    """How many `images` and `texts` were measured with."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Calibration:
        """Raises ValueError for what `to_json` did not make."""
        try:
            return cls(**{**fields, "curve": tuple(Point(**point) for point in fields["curve"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a calibration: {error}") from error


def calibrate(base: ApproximateBase, target: float, probes: Vectors | None = None) -> ApproximateBase:
    """The base at the least effort that reaches the target, and the record of how that was found.

    With several lists, candidates are first raised until they lose no more than half of what may be lost, every list
    being looked into; then the lists.
    """
    started = time.perf_counter()
    asked = {"images": _of_images(base), "texts": _of_texts(base, probes)}
    lists = base.found_by.lists
    fetches = _ladder(base.exhaustive_fetch)
    tries = _least(
        fetches, lambda fetch: base.with_effort(Effort(fetch, lists)), target if lists == 1 else (1 + target) / 2, asked
    )
    effort = Effort(tries[-1].point.effort, lists)
    if lists > 1:
        tries = _least(_ladder(lists), lambda some: base.with_effort(Effort(effort.fetch, some)), target, asked)
        effort = Effort(effort.fetch, tries[-1].point.effort)
    chosen = tries[-1]
    calibration = Calibration(
        target=target,
        kind=base.kind,
        parameters={**base.found_by.parameters(), "fetch": effort.fetch, "probes": effort.probes},
        curve=tuple(sorted((each.point for each in tries), key=lambda point: point.effort)),
        chosen=chosen.point.effort,
        reached=chosen.surely >= target,
        queries={name: len(some.queries) for name, some in asked.items()},
        seconds=round(time.perf_counter() - started, 3),
    )
    if not calibration.reached:
        _log.warning("the %s index reaches a recall of %.4f, not %.4f", base.kind, chosen.surely, target)
    return base.with_effort(effort, calibration)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Queries of one kind and what they should find."""

    queries: Vectors
    own: Rows
    """`(n,)`: the row that is the query itself, -1 if none is."""
    least: Mapping[int, Vectors]
    """For each depth, `(n,)`: the score of the last of the best."""


@dataclass(frozen=True, slots=True)
class _Try:
    point: Point
    surely: float
    """The lowest of the recalls, each less its standard error."""


def _of_images(base: ApproximateBase) -> _Asked:
    size = len(base.ids)
    own = np.sort(np.random.default_rng(size).choice(size, min(size, QUERIES), replace=False))
    queries = base.vectors[own].astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    return _asked(queries, own, base.vectors)


def _of_texts(base: ApproximateBase, probes: Vectors | None) -> _Asked:
    if probes is None:
        probes = np.empty((0, base.vectors.shape[1]), np.float32)
    some = np.linspace(0, len(probes) - 1, min(len(probes), QUERIES)).astype(np.intp)
    queries = np.ascontiguousarray(probes[some], np.float32)
    return _asked(queries, np.full(len(queries), -1), base.vectors)


def _asked(queries: Vectors, own: Rows, vectors: Stored) -> _Asked:
    least = {depth: np.empty(len(queries), np.float32) for depth in DEPTHS}
    for number, rows in enumerate(scan(queries, vectors, max(DEPTHS) + 1)):
        rows = rows[rows != own[number]]
        scores = -np.sort(-products(queries[number], vectors, rows))
        for depth in DEPTHS:
            least[depth][number] = scores[depth - 1]
    return _Asked(queries, own, least)


def _ladder(last: int) -> list[int]:
    """4, 5, 6, 7, 8, 10, 12, 14, 16, 20 and so on up to `last`, which is among them."""
    steps = (part << power for power in itertools.count() for part in (4, 5, 6, 7))
    return [*itertools.takewhile(lambda step: step < last, steps), last]


def _least(
    efforts: Sequence[int], at: Callable[[int], ApproximateBase], target: float, asked: Mapping[str, _Asked]
) -> list[_Try]:
    """What was tried; the last is the least effort that reaches the target, or the highest. First by doubling, as much
    effort takes long to try, then by halving between."""
    tries: dict[int, _Try] = {}

    def good(place: int) -> bool:
        if place not in tries:
            tries[place] = _try(efforts[place], at(efforts[place]), asked)
        return tries[place].surely >= target

    low, high = 0, min(_FIRST, len(efforts) - 1)
    while not good(high) and high < len(efforts) - 1:
        low, high = high + 1, min(high + _OCTAVE, len(efforts) - 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle + 1, high)
    good(high)
    last = tries.pop(high)
    return [*tries.values(), last]


def _try(effort: int, base: ApproximateBase, asked: Mapping[str, _Asked]) -> _Try:
    means: dict[str, float | None] = {}
    surely = 1.0
    for name, some in asked.items():
        shares = np.array([*_shares(base, some)]).reshape(-1, len(DEPTHS))
        for depth, of_depth in zip(DEPTHS, shares.T, strict=True):
            means[f"recall{depth}_{name}"] = float(of_depth.mean()) if len(of_depth) else None
            if len(of_depth):
                surely = min(surely, float(of_depth.mean() - of_depth.std() / np.sqrt(len(of_depth))))
    return _Try(Point(effort=effort, ms=_milliseconds(base, asked), **means), surely)  # type: ignore[arg-type]


def _shares(base: ApproximateBase, asked: _Asked) -> Iterator[list[float]]:
    """For each query, at each depth: how many of the best are among the candidates."""
    for number, found in enumerate(base.candidates(asked.queries, DEPTHS, None, None)):
        if found.scores is None:  # everything was scored
            yield [1.0] * len(DEPTHS)
            continue
        there = (found.scores >= asked.least[DEPTHS[-1]][number] - _TIE) & (found.rows != asked.own[number])
        scores = np.where(there, found.scores, -np.inf)
        counted = zip(DEPTHS, found.cuts, strict=True)
        yield [
            min(depth, int(np.count_nonzero(scores[:cut] >= asked.least[depth][number] - _TIE))) / depth
            for depth, cut in counted
        ]


def _milliseconds(base: ApproximateBase, asked: Mapping[str, _Asked]) -> float:
    times = []
    for query in np.concatenate([some.queries[:_TIMED] for some in asked.values()]):
        started = time.perf_counter()
        base.candidates(query[None], DEPTHS[:1], None, None)
        times.append(time.perf_counter() - started)
    return round(1000 * float(np.median(times)), 3)
