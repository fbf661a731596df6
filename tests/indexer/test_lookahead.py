"""Work ahead: in order, bounded, and closed early without leaving threads behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from indexer.lookahead import look_ahead


def test_results_are_in_order_whatever_finishes_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number * number

    found = [(item, result.result()) for item, result in look_ahead(work, range(20), threads=4, ahead=6)]
    assert found == [(number, number * number) for number in range(20)]


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_items_are_drawn_only_so_far_ahead(ahead: int) -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(30):
            drawn.append(number)
            yield number

    for item, result in look_ahead(lambda number: number, items(), threads=2, ahead=ahead):
        assert len(drawn) <= item + 1 + ahead
        assert result.result() == item
    assert len(drawn) == 30


def test_an_error_belongs_to_its_item() -> None:
    results = look_ahead(lambda number: 1 // number, [1, 0, 1], threads=1, ahead=3)
    assert [type(result.exception()) for _, result in results] == [type(None), ZeroDivisionError, type(None)]


def test_closing_early_ends_the_threads() -> None:
    before = threading.active_count()
    with closing(look_ahead(time.sleep, [0.001] * 1000, threads=2, ahead=500)) as results:
        next(results)
    assert threading.active_count() == before
