"""Engines take turns, and are compared round by round."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from benchmarks.vector_search.timing import Timing, take_turns, threads, times_faster


def test_medians_and_the_slowest_hundredth() -> None:
    timing = Timing(((1.0, 2.0), (3.0, 4.0, 5.0)))
    assert timing.calls == 5
    assert timing.median == 3.0
    assert timing.p99 == pytest.approx(4.96)


def test_a_round_in_which_all_were_slow_does_not_count_against_one() -> None:
    fast, slow = Timing(((1.0,), (1.0,), (10.0,))), Timing(((4.0,), (4.0,), (40.0,)))
    assert times_faster(fast, slow) == 4.0


def test_blocks_by_turns() -> None:
    calls: list[tuple[str, int]] = []
    runs = {name: lambda number, name=name: calls.append((name, number)) for name in ("a", "b")}
    found = take_turns(runs, 4, rounds=2, seconds=0, block=(3, 3), warm=1)
    assert {name: [len(block) for block in timing.rounds] for name, timing in found.items()} == {
        "a": [3, 3],
        "b": [3, 3],
    }
    timed = calls[4:]  # two calls each find out how long they take
    assert [name for name, _ in timed] == ["a"] * 4 + ["b"] * 4 + ["a"] * 4 + ["b"] * 4
    assert [number for name, number in timed if name == "a"] == [2, 0, 1, 2, 1, 3, 0, 1]


def test_threads_are_limited_and_given_back() -> None:
    before = [pool["num_threads"] for pool in threadpool_info()]
    with threads(1):
        assert all(pool["num_threads"] == 1 for pool in threadpool_info())
        np.ones((4, 4)) @ np.ones((4, 4))
    assert [pool["num_threads"] for pool in threadpool_info()] == before
