from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from indexer.errors import CursorExpired
from search.cursors import Cursors, KeptSearch
from search.rankings import Listed


def a_search() -> KeptSearch:
    index: Any = SimpleNamespace()  # never asked here
    return KeptSearch(index, Listed(np.arange(3)), None, None)


def test_a_cursor_stands_for_its_search_and_place() -> None:
    cursors = Cursors()
    one, other = a_search(), a_search()
    first, second = cursors.keep(one, 10), cursors.keep(other, 20)
    found = cursors.find(first)
    assert (found.search, found.offset) == (one, 10)
    following = cursors.find(found.cursor(30))
    assert (following.search, following.offset) == (one, 30)
    assert cursors.find(second).search is other
    assert cursors.find(first).offset == 10  # a page back


@pytest.mark.parametrize("change", ["", ".", ".10", "{key}", "{key}.", "{key}.-1", "{key}.x", "{key}.²", "{key}x.10"])
def test_what_never_was_a_cursor_is_one_that_expired(change: str) -> None:
    cursors = Cursors()
    key = cursors.keep(a_search(), 10).partition(".")[0]
    with pytest.raises(CursorExpired, match="search again"):
        cursors.find(change.format(key=key))
    with pytest.raises(CursorExpired):
        cursors.find(f"{key}.{'9' * 5000}")


def test_only_so_many_are_kept_and_the_least_used_go_first() -> None:
    cursors = Cursors(kept=2)
    first, second = cursors.keep(a_search(), 1), cursors.keep(a_search(), 1)
    cursors.find(first)
    third = cursors.keep(a_search(), 1)
    with pytest.raises(CursorExpired):
        cursors.find(second)
    assert cursors.find(first).search is not cursors.find(third).search


def test_they_expire_when_they_are_not_used() -> None:
    now = [0.0]
    cursors = Cursors(seconds=60, clock=lambda: now[-1])
    cursor = cursors.keep(a_search(), 1)
    for moment in (50.0, 100.0):
        now.append(moment)
        cursors.find(cursor)
    now.append(161.0)
    with pytest.raises(CursorExpired):
        cursors.find(cursor)
