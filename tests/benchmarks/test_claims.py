"""From what was measured to lines with goals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.goals import Line
from benchmarks.vector_search import claims
from benchmarks.vector_search.claims import Measured, Place
from benchmarks.vector_search.comparison import Point, Row
from benchmarks.vector_search.filters import Filtered
from benchmarks.vector_search.freshness import Freshness
from benchmarks.vector_search.gpu import OnGpu
from benchmarks.vector_search.opening import Opening
from benchmarks.vector_search.timing import Timing

SMALL, LARGE = Place(100_000, 512, 1), Place(1_000_000, 512, 1)


def row(name: str, *, ms: float, recall: float = 1.0, build: float = 1.0, hot: float = 80.0, batch: float = 64) -> Row:
    return Row(
        name,
        build,
        hot,
        None,
        {(kind, k): recall for kind in ("image", "text") for k in (10, 100)},
        Timing(((ms / 1000,),)),
        Timing(((batch / 1000,),)),
        (Point(None, recall, recall, ms / 1000),),
    )


def engines(*rows: Row) -> dict[str, Row | str]:
    return {row.engine: row for row in rows}


def line(measured: Measured, *words: str) -> Line:
    [found] = [line for line in claims.lines(measured) if all(word in line.name for word in words)]
    return found


def test_a_speed_counts_only_with_its_recall() -> None:
    good = Measured({LARGE: engines(row("Sightline rabitq", ms=10), row("numpy", ms=130))})
    faster = line(good, "times faster than NumPy")
    assert (faster.value, faster.goal, faster.met) == (pytest.approx(13), 12, True)
    bad = Measured({LARGE: engines(row("Sightline rabitq", ms=10, recall=0.98), row("numpy", ms=130))})
    assert line(bad, "times faster than NumPy").met is False
    assert line(bad, "recall@10").met is False


def test_ivf_has_goals_of_its_own_and_other_kinds_none() -> None:
    ours = [row("Sightline rabitq", ms=10), row("Sightline ivf", ms=1, recall=0.986), row("Sightline hnsw", ms=0.1)]
    measured = Measured({LARGE: engines(*ours, row("numpy", ms=91))})
    ivf = line(measured, "ivf", "times faster than NumPy")
    assert (ivf.value, ivf.goal, ivf.met) == (pytest.approx(91), 90, True)
    assert line(measured, "hnsw", "times faster than NumPy").goal is None


def test_the_peers_at_a_hundred_thousand() -> None:
    ours = row("Sightline rabitq", ms=1, build=4, hot=80)
    exact = row("Sightline exact", ms=10, batch=100)
    peers = [
        row("numpy", ms=20),
        row("rclip-like sort", ms=95),
        row("hnswlib", ms=0.8, build=20, hot=2_400),
        row("FAISS flat", ms=20, batch=1_400),
    ]
    measured = Measured({SMALL: engines(ours, exact, *peers)})
    assert line(measured, "rclip-like").met is True
    assert line(measured, "build, times faster").value == 5
    latency = line(measured, "p50 over hnswlib's")
    assert (latency.value, latency.met) == (pytest.approx(1.25), False)
    assert line(measured, "hot bytes").value == 30
    batch = line(measured, "batch of 64, times faster")
    assert (batch.value, batch.met) == (pytest.approx(14), False)


def test_a_peer_that_is_not_installed_has_its_lines() -> None:
    rows = engines(row("Sightline rabitq", ms=1), row("numpy", ms=20)) | {"hnswlib": "not installed"}
    lines = [one for one in claims.lines(Measured({SMALL: rows})) if "hnswlib" in one.name]
    assert len(lines) == 3
    assert {(one.value, one.met) for one in lines} == {("not installed", None)}


def test_goals_are_for_one_thread_and_512_dimensions() -> None:
    rows = engines(row("Sightline rabitq", ms=10), row("numpy", ms=130))
    others = Measured({Place(1_000_000, 768, 1): rows, Place(1_000_000, 512, 2): rows})
    assert [one for one in claims.lines(others) if "GPU" not in one.name] == []


def test_filters_lose_nothing() -> None:
    one = Filtered(0.01, "random", 10_000, 1.0, 10, Timing(((0.008,),)), Timing(((0.2,),)))
    measured = Measured(filtered={LARGE: [one, replace(one, pattern="correlated", recall=0.999)]})
    assert line(measured, "random: recall").met is True
    assert line(measured, "correlated: recall").met is False
    faster = line(measured, "random", "times faster")
    assert (faster.value, faster.goal, faster.met) == (pytest.approx(25), 20, True)
    short = Measured(filtered={LARGE: [replace(one, shortest=9)]})
    assert line(short, "recall").met is False


def test_searching_while_adding_has_to_keep_up_and_lose_nothing() -> None:
    fresh = Freshness(0.001, 1.3, 990.0, 1, 0)
    assert line(Measured(fresh={LARGE: fresh}), "p99 over").met is True
    assert line(Measured(fresh={LARGE: replace(fresh, lost=1)}), "p99 over").met is False
    assert line(Measured(fresh={LARGE: replace(fresh, added_a_second=500.0)}), "p99 over").met is False


def test_opening_a_collection() -> None:
    opened = Opening("rabitq", 1_000_000, 0.9, 101.0, 300.0)
    measured = Measured(opened={LARGE: opened})
    assert line(measured, "first query").met is True
    assert line(measured, "hot bytes").met is False
    smaller = Measured(opened={SMALL: replace(opened, images=100_000)})
    assert line(smaller, "hot bytes").goal is None


def test_the_gpu_is_named_where_there_is_none() -> None:
    assert line(Measured(gpu="not run: no CUDA here"), "floor").value == "not run: no CUDA here"
    measured = Measured(gpu=OnGpu(1.9, 1.4))
    assert line(measured, "floor").met is True
    assert line(measured, "batch of 64 over").met is False
