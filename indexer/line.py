"""A production line's next place: jobs done in order by a thread of its own, while the caller goes on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Line:
    """At most `ahead` jobs run or wait; who puts another waits for room. For one caller at a time.

    After a job has failed none is begun any more, and the next `put` or `drain` raises its error. Leaving the context
    waits for the jobs that were put, also when it is left by an error.
    """

    def __init__(self, name: str, *, ahead: int) -> None:
        self.idle = 0.0
        """Seconds without a job, up to the last one."""
        self._ahead = ahead
        self._jobs: deque[Future[None]] = deque()
        self._failed = False
        self._free_since = time.monotonic()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    def put(self, job: Callable[[], None]) -> None:
        self._wait(self._ahead - 1)
        self._jobs.append(self._pool.submit(self._do, job))

    def drain(self) -> None:
        """Until all that was put is done."""
        self._wait(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if error is None:
            self.drain()

    def _wait(self, left: int) -> None:
        while len(self._jobs) > left:
            self._jobs.popleft().result()

    def _do(self, job: Callable[[], None]) -> None:
        """In our thread."""
        if self._failed:
            return
        self.idle += time.monotonic() - self._free_since
        try:
            job()
        except BaseException:
            self._failed = True
            raise
        finally:
            self._free_since = time.monotonic()
