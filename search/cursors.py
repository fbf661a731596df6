"""Searches kept for their next pages: what a cursor stands for."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.errors import CursorExpired
from indexer.vectors import Ids, Matches
from indexer.vectors.segmented import SegmentedIndex
from search.relevance.relevance import QueryRelevance

KEPT = 256
"""Searches. Those of one state of the collection share its index; each state alone has a mask, a byte an image."""
KEPT_SECONDS = 900.0
"""Since a page was last taken: longer than a person looks at one."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptSearch:
    """A search as it was first answered, whatever the collection has become since."""

    index: SegmentedIndex
    vector: NDArray[np.float32]
    """`(dimension,)`, unit length."""
    allowed: Ids | None
    relevance: QueryRelevance | None = None
    """What is known of how likely its hits are; None for queries of which nothing is claimed."""
    likely: Matches | None = None
    """All there is to page through, best first, where only likely hits were asked for."""

    def best(self, k: int) -> Matches:
        """The first k, or all that there are."""
        if self.likely is not None:
            return Matches(self.likely.ids[:k], self.likely.scores[:k])
        [found] = self.index.search(self.vector[None], k, self.allowed)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """What a cursor asks for: the hits from `offset` on."""

    search: KeptSearch
    key: str
    offset: int

    def cursor(self, offset: int) -> str:
        """The one for another page of the same search."""
        return f"{self.key}.{offset}"


class Cursors:
    """The last `kept` searches, each for `seconds` after its last page. Safe to use from any number of threads."""

    def __init__(
        self, kept: int = KEPT, seconds: float = KEPT_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept, self._seconds, self._clock = kept, seconds, clock
        self._lock = threading.Lock()
        self._searches: OrderedDict[str, tuple[KeptSearch, float]] = OrderedDict()  # the least recently used first

    def keep(self, search: KeptSearch, offset: int) -> str:
        """A cursor for the page that begins at `offset`."""
        page = Page(search, secrets.token_urlsafe(12), offset)
        self._use(page.key, search)
        return page.cursor(offset)

    def find(self, cursor: str) -> Page:
        """Raises `CursorExpired`, also for what never was a cursor."""
        key, _, offset = cursor.rpartition(".")
        with self._lock:
            self._forget()
            found = self._searches.get(key)
        if found is None or not (offset.isascii() and offset.isdecimal() and len(offset) < 10):
            raise CursorExpired
        search, _ = found
        self._use(key, search)
        return Page(search, key, int(offset))

    def _use(self, key: str, search: KeptSearch) -> None:
        with self._lock:
            self._searches[key] = (search, self._clock())
            self._searches.move_to_end(key)
            self._forget()

    def _forget(self) -> None:
        oldest = self._clock() - self._seconds
        while self._searches:
            key, (_, used) = next(iter(self._searches.items()))
            if len(self._searches) <= self._kept and used > oldest:
                return
            del self._searches[key]
