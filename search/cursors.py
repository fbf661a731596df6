"""Searches kept for their next pages: what a cursor stands for."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from indexer.errors import CursorExpired
from indexer.vectors import VectorIndex, Vectors
from search.rankings import ByScore, Listed, Ranking
from search.relevance.relevance import QueryRelevance
from search.words.fusion import MEANT, Fused
from search.words.route import FoundByWords

KEPT = 256
"""Searches. Those of one state of the collection share its index; each state alone has a mask, a byte an image."""
KEPT_SECONDS = 900.0
"""Since a page was last taken: longer than a person looks at one."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptSearch:
    """A search as it was first answered, whatever the collection has become since."""

    index: VectorIndex
    ranking: Ranking
    parts: Vectors | None
    """`(terms, dimension)`: what each term adds to the vector; None where nothing was looked for."""
    matched: int | None
    """How many images pass the filter; None without one."""
    relevance: QueryRelevance | None = None
    """How likely its hits are; None where it was not asked for, and of what nothing is claimed."""
    words: FoundByWords | None = None
    """What was found by words, and fused into the ranking; None where nothing was."""

    def is_nearest(self, ranks: int) -> bool:
        """Whether it asks for nothing but the nearest of all images, of which the first `ranks` settle its page."""
        nearest = self.ranking
        if isinstance(nearest, Fused) and ranks <= MEANT:
            nearest = nearest.meaning
        return isinstance(nearest, ByScore) and nearest.allowed is None

    def with_nearest(self, nearest: Listed) -> KeptSearch:
        """Where these are known."""
        if self.words is None:
            return replace(self, ranking=nearest)
        words = self.words.with_meaning(nearest)
        return replace(self, ranking=words.ranking, words=words)


Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Page(Generic[Kept]):
    """What a cursor asks for: the hits from `offset` on."""

    search: Kept
    key: str
    offset: int

    def cursor(self, offset: int) -> str:
        """The one for another page of the same search."""
        return f"{self.key}.{offset}"


def at_offset(cursor: str, offset: int) -> str:
    """The one for another page of the search that a cursor is of."""
    return f"{cursor.rpartition('.')[0]}.{offset}"


class Cursors(Generic[Kept]):
    """The last `kept` searches, each for `seconds` after its last page. Safe to use from any number of threads."""

    def __init__(
        self, kept: int = KEPT, seconds: float = KEPT_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept, self._seconds, self._clock = kept, seconds, clock
        self._lock = threading.Lock()
        self._searches: OrderedDict[str, tuple[Kept, float]] = OrderedDict()  # the least recently used first

    def keep(self, search: Kept, offset: int) -> str:
        """A cursor for the page that begins at `offset`."""
        page = Page(search, secrets.token_urlsafe(12), offset)
        self._use(page.key, search)
        return page.cursor(offset)

    def find(self, cursor: str) -> Page[Kept]:
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

    def _use(self, key: str, search: Kept) -> None:
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
