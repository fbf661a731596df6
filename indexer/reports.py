"""What a sync tells: how far it is, and what became of the files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from indexer.pace import Pace
from indexer.sources import ImageSource

_REPORT_SECONDS = 0.1  # between two calls of the progress callback: more than a person can see


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    """Candidates dealt with, whatever came of them."""
    total: int | None
    """How many there are, about; None until they have been counted."""


@dataclass(frozen=True, slots=True)
class Failure:
    path: str
    reason: str
    """One line."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of every candidate; `removed` counts images whose files are gone."""

    added: int
    unchanged: int
    changed: int
    moved: int
    removed: int
    failed: int
    failures: tuple[Failure, ...]
    seconds: float
    pace: Pace | None = None
    """None where nothing had to be encoded."""
    excluded: int = 0
    """Images taken out because of patterns; their files are there."""
    offline: str = ""
    """Why nothing was removed: the source is not there. Empty if it is."""


class Reporter:
    """Calls back now and then; if wanted, counts the candidates meanwhile, in a thread of its own."""

    def __init__(self, source: ImageSource, callback: Callable[[Progress], None] | None, count: bool) -> None:
        self._callback = callback
        self._done = 0
        self._total: int | None = None
        self._next = 0.0
        if callback and count:
            threading.Thread(target=self._count, args=(source,), daemon=True).start()

    def _count(self, source: ImageSource) -> None:
        self._total = source.count()

    def step(self) -> None:
        self._done += 1
        if self._callback and time.monotonic() >= self._next:
            self._callback(Progress(self._done, self._total))
            self._next = time.monotonic() + _REPORT_SECONDS

    def finish(self) -> None:
        if self._callback:
            self._callback(Progress(self._done, self._done))
