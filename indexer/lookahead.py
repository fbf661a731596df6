"""Work done by threads a bounded number of items ahead, its results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def look_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, ahead: int
) -> Generator[tuple[Item, Future[Result]], None, None]:
    """Each item with the finished future of `work(item)`, in order; ask it for the result or the error.

    `items` is drawn from in the calling thread, and at most `ahead` items further than what has been yielded, so that
    memory is bounded. Closing the iterator early cancels what has not begun and waits for what has.
    """
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) > ahead:
                yield _finished(waiting)
        while waiting:
            yield _finished(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(waiting: deque[tuple[Item, Future[Result]]]) -> tuple[Item, Future[Result]]:
    item, future = waiting.popleft()
    future.exception()  # waits
    return item, future
