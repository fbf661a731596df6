"""What tells of changes below a folder: inotify and its like on other systems, or looking again and again."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer.sources.folder_walk import is_candidate, is_sidecar, is_skipped

if TYPE_CHECKING:
    from watchfiles import Change

_GATHER_MS, _STEP_MS = 200, 50  # changes that come within that are told of together
_ROUND_MS = 200  # between two looks whether to end; the first one tells that it listens
_START_SECONDS = 600.0  # polling begins with a walk of all there is, on a network that may be slow

Told = tuple[str, frozenset[str]]
"""The folder that is listened to, and the paths below it that may have changed."""


class Listener:
    """Puts what changes into a queue, from a thread of its own, until it is stopped or its folder goes away."""

    def __init__(
        self, folder: str, told: queue.Queue[Told], *, poll_seconds: float | None, ignore: Callable[[str], bool]
    ) -> None:
        """`poll_seconds`: how often to look where nobody tells; None where somebody does."""
        self.folder = folder
        self.error: Exception | None = None
        """Why it ended, if it was not stopped."""
        self._told, self._poll_seconds, self._ignore = told, poll_seconds, ignore
        self._stop, self._listening = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, name="sightline-listener", daemon=True)

    def start(self) -> bool:
        """Whether it listens now: what changes from here on is told of."""
        self._thread.start()
        return self._listening.wait(_START_SECONDS) and self.error is None

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_START_SECONDS)

    def _listen(self) -> None:
        from watchfiles import watch

        try:
            for changes in watch(
                self.folder,
                watch_filter=self._matters,
                debounce=_GATHER_MS,
                step=_STEP_MS,
                stop_event=self._stop,
                rust_timeout=_ROUND_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                force_polling=self._poll_seconds is not None,
                poll_delay_ms=int((self._poll_seconds or 1) * 1000),
                recursive=True,
                ignore_permission_denied=True,
            ):
                self._listening.set()
                if changes:
                    self._told.put((self.folder, frozenset(path for _, path in changes)))
        except Exception as error:  # noqa: BLE001 - whatever ends it, whoever started it decides what to do
            self.error = error
        finally:
            self._listening.set()

    def _matters(self, change: Change, path: str) -> bool:
        """Pictures, side-cars, and folders that come or go; what a folder holds is told of by itself."""
        from watchfiles import Change

        below = path[len(self.folder.rstrip("/")) + 1 :].split("/")
        if self._ignore(path) or any(is_skipped(name) for name in below):
            return False
        if is_candidate(below[-1]) or is_sidecar(below[-1]):
            return True
        return change == Change.deleted or (change == Change.added and os.path.isdir(path))  # noqa: PTH112
