from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer.microbatching import MicroBatcher


class Doubling:
    """Doubles numbers, holds its first batch until told, and remembers what came together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, numbers: list[int]) -> list[int]:
        self.batches.append(numbers)
        self.begun.set()
        assert self.go_on.wait(30)
        if any(number < 0 for number in numbers):
            raise ValueError(f"negative among {numbers}")
        return [2 * number for number in numbers]


def held(work: Doubling, batcher: MicroBatcher[int, int], first: int, others: list[int]) -> list[object]:
    """What the calls gave or raised, the others having come while the first was worked on."""
    with ThreadPoolExecutor(len(others) + 1) as pool:
        calls = [pool.submit(batcher, first)]
        assert work.begun.wait(30)
        calls += [pool.submit(batcher, number) for number in others]
        while len(batcher._waiting) < len(others):
            pass
        work.go_on.set()
        return [call.exception() or call.result() for call in calls]


def test_a_lone_call_starts_at_once() -> None:
    work = Doubling()
    work.go_on.set()
    assert MicroBatcher(work, 8)(21) == 42
    assert work.batches == [[21]]


def test_calls_that_come_meanwhile_are_done_together() -> None:
    work = Doubling()
    assert held(work, MicroBatcher(work, 8), 1, [2, 3, 4]) == [2, 4, 6, 8]
    assert [sorted(batch) for batch in work.batches] == [[1], [2, 3, 4]]


def test_a_batch_is_no_larger_than_allowed() -> None:
    work = Doubling()
    assert held(work, MicroBatcher(work, 2), 1, [2, 3, 4]) == [2, 4, 6, 8]
    assert [len(batch) for batch in work.batches] == [1, 2, 1]


def test_an_error_goes_to_the_caller_whose_item_it_is() -> None:
    work = Doubling()
    first, *others = held(work, MicroBatcher(work, 8), 1, [2, -3, 4])
    assert (first, others[0], others[2]) == (2, 4, 8)
    assert isinstance(others[1], ValueError)
    assert str(others[1]) == "negative among [-3]"


def test_an_error_of_a_lone_call_is_raised() -> None:
    work = Doubling()
    work.go_on.set()
    with pytest.raises(ValueError, match=r"negative among \[-1\]"):
        MicroBatcher(work, 8)(-1)


def test_every_one_of_many_threads_gets_its_own_answer() -> None:
    batcher = MicroBatcher[int, int](lambda numbers: [number * number for number in numbers], 16)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(batcher, range(2000))) == [number * number for number in range(2000)]
