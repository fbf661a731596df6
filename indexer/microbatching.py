"""Calls from many threads, gathered: what comes while one piece of work is being done is done together next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class MicroBatcher(Generic[Item, Result]):
    """`batcher(item)` is `work([item])[0]`, safe and fast from many threads at once.

    Nobody waits for company: a call that finds nothing going on starts at once, and those that come meanwhile form the
    next batch. So a lone call takes no longer, and under load a batch grows to as many as come while one is worked on.
    """

    def __init__(self, work: Callable[[list[Item]], Sequence[Result]], most: int) -> None:
        """`work` answers in order, one result an item, for up to `most` items; one call of it runs at a time."""
        self._work, self._most = work, most
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._working = threading.Lock()

    def __call__(self, item: Item) -> Result:
        """Raises what `work` raises for this item alone; another item's error is not this one's."""
        future: Future[Result] = Future()
        self._waiting.append((item, future))
        with self._working:
            while not future.done():  # unless somebody else's batch took it along
                self._work_on_next()
        return future.result()

    def _work_on_next(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            results = self._work([item for item, _ in batch])
        except BaseException as error:  # noqa: BLE001  (it is handed to the callers)
            for item, future in batch:
                if len(batch) > 1 and isinstance(error, Exception):
                    self._alone(item, future)
                else:
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _alone(self, item: Item, future: Future[Result]) -> None:
        try:
            [result] = self._work([item])
            future.set_result(result)
        except Exception as error:  # noqa: BLE001  (as above)
            future.set_exception(error)
