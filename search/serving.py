"""The model that answers, for a process that stays: when another one is promoted it takes over without an outage.

Collection, encoder and engine belong together and change together: a search gets one of these sets and is answered by
it from its text to its hits, however long that takes. The next set is opened and its model loaded beside the old one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import CursorExpired, SightlineError
from indexer.images import Limits
from search.engine import Results, SearchEngine
from search.query import DEFAULT_K

LOOK_SECONDS = 1.0
"""Between two looks at which model serves."""
RETRY_SECONDS = 60.0
"""After a model that could not be loaded: its weights may have come."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """What belongs to one model."""

    collection: Collection
    engine: SearchEngine


class Serving:
    """Safe to use from any number of threads. Made by `open`."""

    def __init__(self, first: Served, open_next: Callable[[], Served], *, look_seconds: float = LOOK_SECONDS) -> None:
        self._now = first
        self._before: Served | None = None  # for the next pages of its searches
        self._open_next, self._look_seconds = open_next, look_seconds
        self._next_look = time.monotonic() + look_seconds
        self._changing = threading.Lock()
        self._closed = False

    @classmethod
    def open(
        cls,
        library: Path,
        load: Callable[[str], Encoder],
        limits: Limits | None = None,
        *,
        encoder: Encoder | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> Self:
        """`load` takes a model's name; the first model is loaded by it unless its encoder is given.

        Raises `CollectionError` and `ModelError`.
        """
        first = _open(library, load, limits, encoder)
        return cls(first, lambda: _open(library, load, limits, None), look_seconds=look_seconds)

    @property
    def collection(self) -> Collection:
        return self._now.collection

    @property
    def engine(self) -> SearchEngine:
        """To be asked for once a search. If another model serves by now, that one is made ready meanwhile."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self._look_seconds
            self._look()
        return self._now.engine

    def next_page(self, cursor: str, k: int = DEFAULT_K) -> Results:
        """Of a search that this model answered, or the one before. Raises as `SearchEngine.next_page`."""
        try:
            return self.engine.next_page(cursor, k)
        except CursorExpired:
            if (before := self._before) is None:
                raise
            return before.engine.next_page(cursor, k)

    def close(self) -> None:
        with self._changing:
            self._closed = True
            for served in (self._now, self._before):
                if served is not None:
                    served.collection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_outdated(self) -> bool:
        catalog = self._now.collection.catalog
        return catalog.models.serving() != catalog.model_id

    def _look(self) -> None:
        if self._is_outdated() and not self._changing.locked():
            threading.Thread(target=self._change, name="sightline-promote", daemon=True).start()

    def _change(self) -> None:
        if not self._changing.acquire(blocking=False):
            return
        try:
            if self._closed or not self._is_outdated():  # another thread may have changed over while this one started
                return
            served = self._open_next()
            served.collection.snapshot()  # so that no search has to wait for the index
            forgotten, self._before, self._now = self._before, self._now, served
            if forgotten is not None:
                forgotten.collection.close()
            _log.warning("searches are answered by %s from now on", served.collection.manifest.model)
        except SightlineError as error:
            _log.warning("the model that was promoted cannot be used, the one before it goes on: %s", error)
            self._next_look = time.monotonic() + RETRY_SECONDS
        finally:
            self._changing.release()


def _open(library: Path, load: Callable[[str], Encoder], limits: Limits | None, encoder: Encoder | None) -> Served:
    collection = Collection.open(library)
    try:
        encoder = encoder or load(collection.manifest.model)
        engine = SearchEngine(collection, encoder, limits)
    except BaseException:
        collection.close()
        raise
    collection.fold_in_background(encoder)
    return Served(collection, engine)
