"""Jobs in order, bounded, and nothing begun after a failure."""

from __future__ import annotations

import threading
import time

import pytest

from indexer.line import Line


def test_jobs_are_done_in_order_by_one_thread() -> None:
    done: list[tuple[int, str]] = []
    with Line("test", ahead=3) as line:
        for number in range(20):
            line.put(lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]
    assert [number for number, _ in done] == list(range(20))
    assert len({name for _, name in done}) == 1
    assert threading.current_thread().name not in done[0]


@pytest.mark.parametrize("ahead", [1, 3])
def test_put_waits_for_room(ahead: int) -> None:
    go, begun = threading.Semaphore(0), 0

    def job() -> None:
        assert go.acquire(timeout=20)

    with Line("test", ahead=ahead) as line:
        for _ in range(ahead):
            line.put(job)
        late = threading.Timer(0.05, go.release)
        late.start()
        line.put(job)
        assert not late.is_alive()
        begun = ahead + 1
        go.release(begun)


def test_after_a_failure_nothing_is_begun_and_the_error_is_told_once_asked() -> None:
    done: list[int] = []

    def fails(*, asked: bool) -> None:
        with Line("test", ahead=5) as line:
            line.put(lambda: done.append(1 // 0))
            line.put(lambda: done.append(2))
            if asked:
                line.drain()

    for asked in (True, False):  # where nobody asks, leaving tells
        with pytest.raises(ZeroDivisionError):
            fails(asked=asked)
    assert done == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test")]


def test_left_by_an_error_the_jobs_are_still_done() -> None:
    done: list[int] = []

    def slowly() -> None:
        time.sleep(0.02)
        done.append(1)

    def left() -> None:
        with Line("test", ahead=5) as line:
            for _ in range(3):
                line.put(slowly)
            raise KeyError

    with pytest.raises(KeyError):
        left()
    assert done == [1, 1, 1]


def test_idle_seconds_are_those_between_jobs() -> None:
    with Line("test", ahead=2) as line:
        time.sleep(0.05)
        line.put(lambda: time.sleep(0.1))
        line.put(lambda: None)
        line.drain()
        idle = line.idle
        time.sleep(0.05)
    assert 0.05 <= idle < 0.1
    assert line.idle == idle
