"""Which images pass a filter, asked of the catalog once for each state of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from indexer.catalog import Catalog
from indexer.errors import InvalidQuery
from indexer.schema import image
from indexer.vectors import Ids
from search.facets import Facets, facets_where
from search.filter_sql import clause
from search.filters import Filter, hidden_tags
from search.query import MAX_OFFSET, Sort
from search.timeline import Timeline, timeline_where

KEPT = 32
"""Answers: those of half a million ids, 4 MB each, are the largest."""
LISTED = MAX_OFFSET + 1
"""Ids of a listing: as far as its pages can be asked for, and one to know whether there are more."""

T = TypeVar("T")


class Selections:
    """Safe to use from any number of threads."""

    def __init__(self, catalog: Catalog, kept: int = KEPT) -> None:
        self._catalog, self._most = catalog, kept
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()  # the least recently used first
        self._lock = threading.Lock()

    def ids(self, filter: Filter) -> Ids:
        """Of all images that pass, ascending. Not to be written to."""
        return self._once(("ids", filter), lambda: self._read_only(self._catalog.ids_where(self._clause(filter))))

    def count(self, filter: Filter) -> int:
        """How many pass."""
        return self._once(("count", filter), lambda: int(self._catalog.counts_by([], self._clause(filter))[0][0]))

    def listed(self, filter: Filter, sort: Sort) -> Ids:
        """The first `LISTED` of those that pass, sorted. Not to be written to."""
        order = order_by(sort)
        return self._once(
            ("listed", filter, sort),
            lambda: self._read_only(self._catalog.ids_where(self._clause(filter), order, LISTED)),
        )

    def facets(self, filter: Filter) -> Facets:
        """Counts of all that pass."""
        return self._once(("facets", filter), lambda: facets_where(self._catalog, self._clause(filter)))

    def timeline(self, filter: Filter) -> Timeline:
        """Of all that pass."""
        return self._once(("timeline", filter), lambda: timeline_where(self._catalog, self._clause(filter)))

    def sorted(self, ids: Ids, sort: Sort) -> Ids:
        """Some few ids, at most `MAX_AMONG`, sorted by anything but score."""
        return self._catalog.ids_where(image.c.id.in_(ids.tolist()), order_by(sort))

    def _clause(self, filter: Filter) -> sa.ColumnElement[bool]:
        """Raises `InvalidQuery` for a tag to be hidden that does not exist: to hide nothing would look like safety."""
        for name in hidden_tags(filter):
            if not self._catalog.tags.knows(name):
                raise InvalidQuery(f"nothing can be hidden by {name!r}: no list, label or tag is called that")
        return clause(filter)

    def _once(self, what: Hashable, ask: Callable[[], T]) -> T:
        key = (self._catalog.revision(), what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(T, self._kept[key])
        answer = ask()
        with self._lock:
            self._kept[key] = answer
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return answer

    @staticmethod
    def _read_only(ids: Ids) -> Ids:
        ids.flags.writeable = False
        return ids


def order_by(sort: Sort) -> list[sa.ColumnElement[Any]]:
    """Images without a date come last, whichever way, and so do those without stars.

    The date is wrapped so that what passes is found first and sorted then: by going through the index in order instead,
    SQLite took fifteen times as long to list what has a word in its path, one of a thousand.
    """
    taken_at = sa.func.coalesce(image.c.taken_at, None)
    orders: dict[Sort, list[sa.ColumnElement[Any]]] = {
        "newest": [taken_at.desc().nulls_last()],
        "oldest": [taken_at.asc().nulls_last()],
        "name": [image.c.path.asc()],
        "rating": [sa.func.coalesce(image.c.rating, None).desc().nulls_last(), taken_at.desc().nulls_last()],
    }
    return orders[sort]
