"""Two runs on the same queries: which figures differ, how surely, and on which queries.

Both reports hold the rank of every query, so the difference is paired: what is hard for both cancels out, and a
point of recall can be told from chance where two separate intervals could not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, log
from pathlib import Path
from typing import Any

import numpy as np

from indexer.errors import InvalidReport
from search.benchmark.report import BenchmarkReport, QueryRanks
from search.evaluation import DEFAULT_KS
from search.ranks import Float64, Ints
from search.significance import McNemar, mcnemar, paired_test

TOP = 12
"""Gains and losses listed unless more are asked for."""
SURE = 0.05
"""A p-value under this is called significant."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both runs. All but `mean_rank` are in percent, and their differences in points."""

    figure: str
    a: float
    b: float
    difference: float
    """B minus A."""
    low: float
    high: float
    """95 %, paired bootstrap over images."""
    p_value: float
    """Of the paired permutation test over images."""
    mcnemar: McNemar | None
    """For `R@K`: the queries that only one run gets right."""

    @property
    def is_share(self) -> bool:
        return self.figure != "mean_rank"

    @property
    def significant(self) -> bool:
        return self.p_value < SURE


@dataclass(frozen=True, slots=True)
class Change:
    """A query that the runs answer differently."""

    key: str
    image: str
    text: str
    rank_a: int
    rank_b: int


@dataclass(frozen=True, slots=True)
class DirectionComparison:
    queries: int
    differences: tuple[Difference, ...]
    gained: int
    """Queries whose right answer B puts higher."""
    lost: int
    gains: tuple[Change, ...]
    """Those that changed most, as a ratio of ranks: from 20 to 1 is more than from 900 to 500."""
    losses: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class RunComparison:
    """B against A."""

    a: BenchmarkReport
    b: BenchmarkReport
    directions: Mapping[str, DirectionComparison]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: who was compared, then the directions. NaN is None."""
        runs = {"a": _run(self.a), "b": _run(self.b)}
        found = {name: _without_nan(asdict(direction)) for name, direction in self.directions.items()}
        return {**runs, "dataset": self.b.dataset.name, "split": self.b.dataset.split, "directions": found}


def _run(report: BenchmarkReport) -> dict[str, Any]:
    model = report.model
    return {
        "model": model.name,
        "weights_hash": model.weights_hash,
        "precision": model.precision,
        "date": report.date,
        "prompt": report.prompt,
    }


def compare_files(a: Path, b: Path, *, top: int = TOP) -> RunComparison:
    """Raises `InvalidReport`."""
    return compare(BenchmarkReport.read(a), BenchmarkReport.read(b), top=top, names=(str(a), str(b)))


def compare(
    a: BenchmarkReport, b: BenchmarkReport, *, top: int = TOP, names: tuple[str, str] = ("A", "B")
) -> RunComparison:
    """Raises `InvalidReport` unless both runs answered the same queries of the same data set."""
    _check_datasets(a, b, names)
    shared = [name for name in b.queries if name in a.queries and b.queries[name].rank]
    if not shared:
        raise InvalidReport(names[1], f"it has no query in common with {names[0]!r}; measure both with this Sightline")
    found = {name: _direction(a.queries[name], b.queries[name], name, top, names) for name in shared}
    return RunComparison(a, b, found)


def _check_datasets(a: BenchmarkReport, b: BenchmarkReport, names: tuple[str, str]) -> None:
    """By content, not by name: a file may have been renamed between the runs."""
    ours, theirs = sorted(a.dataset.sha256.values()), sorted(b.dataset.sha256.values())
    if ours != theirs or a.dataset.split != b.dataset.split:
        raise InvalidReport(
            names[1],
            f"it measured {_described(b)}, but {names[0]!r} {_described(a)}; compare runs on the same files and split",
        )


def _described(report: BenchmarkReport) -> str:
    data = report.dataset
    files = ", ".join(f"{name} {digest[:12]}" for name, digest in sorted(data.sha256.items())) or "no files"
    return f"{' '.join(filter(None, (data.name, data.split)))} ({files})"


def _direction(a: QueryRanks, b: QueryRanks, name: str, top: int, names: tuple[str, str]) -> DirectionComparison:
    order = _aligned(a, b, name, names)
    ranks_a, ranks_b = np.array(a.rank, np.int64), np.array(b.rank, np.int64)[order]
    _, image = np.unique(np.array(a.image), return_inverse=True)
    values_a, values_b = per_query(ranks_a), per_query(ranks_b)
    differences = tuple(_difference(figure, values_a[figure], values_b[figure], image) for figure in values_a)
    gained, lost = np.flatnonzero(ranks_b < ranks_a), np.flatnonzero(ranks_b > ranks_a)
    changes = (_changes(a, ranks_a, ranks_b, rows, top) for rows in (gained, lost))
    return DirectionComparison(len(ranks_a), differences, len(gained), len(lost), *changes)


def per_query(ranks: Ints) -> dict[str, Float64]:
    """`(queries,)` values whose means are compared, from ranks counted from 1.

    `R@K` is 100 within K, else 0; `MRR` is 100 / rank; `mean_rank` the rank. A report holds the rank of the best right
    answer only, so AP and nDCG, which need all of them where there are several, are left to the report itself.
    """
    recalls = {f"R@{k}": np.where(ranks <= k, 100.0, 0.0) for k in DEFAULT_KS}
    return {**recalls, "MRR": 100.0 / ranks, "mean_rank": ranks.astype(np.float64)}


def _difference(figure: str, a: Float64, b: Float64, image: Ints) -> Difference:
    test = paired_test(a, b, image)
    return Difference(
        figure=figure,
        a=float(a.mean()),
        b=float(b.mean()),
        difference=test.difference,
        low=test.interval.low,
        high=test.interval.high,
        p_value=test.p_value,
        mcnemar=mcnemar(a, b) if figure.startswith("R@") else None,
    )


def _aligned(a: QueryRanks, b: QueryRanks, name: str, names: tuple[str, str]) -> Ints:
    """`(queries,)`: where in B each query of A is."""
    place = {key: row for row, key in enumerate(b.key)}
    if len(a.key) != len(b.key) or any(key not in place for key in a.key):
        missing = next((key for key in a.key if key not in place), None) or next(
            k for k in b.key if k not in set(a.key)
        )
        raise InvalidReport(
            names[1],
            f"it answers {len(b.key):,} queries of {name}, but {names[0]!r} {len(a.key):,}, and {missing!r} is not in "
            "both; compare runs on the same images and captions",
        )
    return np.array([place[key] for key in a.key], np.int64)


def _changes(run: QueryRanks, ranks_a: Ints, ranks_b: Ints, rows: Ints, top: int) -> tuple[Change, ...]:
    """The rows that changed by the largest factor."""
    ordered = sorted(rows.tolist(), key=lambda row: -abs(log(ranks_b[row] / ranks_a[row])))
    return tuple(
        Change(
            key=run.key[row],
            image=run.image[row],
            text=run.text[row] if run.text else "",
            rank_a=int(ranks_a[row]),
            rank_b=int(ranks_b[row]),
        )
        for row in ordered[:top]
    )


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_nan(one) for one in value]
    return value
