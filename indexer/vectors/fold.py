"""A new base from all that the catalog holds: when it is worth building, and how, while searches go on."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.vectors import Ids, Stored, Vectors
from indexer.vectors.bases import Base, build_base, restore_base
from indexer.vectors.cache import CacheBusy, CacheSummary, VectorCache
from indexer.vectors.calibration import Calibration
from indexer.vectors.exact import WIDEN_UP_TO
from indexer.vectors.planning import IndexPlan, choose_kind, has_cuda
from indexer.vectors.segmented import SegmentedIndex

RETRY_SECONDS = 60.0
"""After a build that failed: a disk that was full may have room again."""

_NICE = 10  # by so much a build gives way to searches where there are fewer processors than threads that want one
_MATRIX = ("exact", "torch")  # kinds that are the vectors and nothing else: what one wrote, the other reads

_log = logging.getLogger(__name__)


class FoldStopped(Exception):
    """The collection is being closed."""


@dataclass(frozen=True, slots=True, eq=False)
class BuiltBase:
    revision: int
    """Of the catalog, when its rows were read."""
    plan: IndexPlan
    base: Base
    structure_bytes: int
    """Of what its kind keeps in memory instead of the vectors; 0 if it keeps nothing."""


def outdated(index: SegmentedIndex, built_by: IndexPlan, plan: IndexPlan) -> bool:
    """Whether a new base, built by `plan`, would be another or a better one."""
    if not len(index.base.ids):
        return len(index) > 0
    return index.outgrown() or differs(index.kind, built_by, plan, len(index))


def differs(kind: str, built_by: IndexPlan, plan: IndexPlan, size: int) -> bool:
    """Whether a base of that kind is not what `plan` asks for with `size` vectors.

    A base that was built by the same plan is, whatever it would choose now: a collection that grows and shrinks around
    a limit is not built anew each time.
    """
    if plan == built_by:
        return False
    wanted = choose_kind(plan, size)
    return wanted != kind or (wanted not in _MATRIX and plan.recall != built_by.recall)


def restored(cache: VectorCache) -> BuiltBase | None:
    """The base that is in the cache; None, and a line in the log unless there is none, if it cannot be used."""
    cached = cache.load()
    if cached is None:
        return None
    kind = cached.kind
    if kind == "torch" and cached.plan.kind == "auto" and not has_cuda():  # it was built on a machine with a GPU
        kind = "exact"
    try:
        calibration = Calibration.from_json(cached.calibration) if cached.calibration else None
        base = restore_base(kind, cached.ids, cached.vectors, cached.structure, calibration)
    except (ValueError, RuntimeError) as error:  # RuntimeError: FAISS's
        cache.reject(f"its {kind} structure cannot be restored ({error})")
        return None
    return BuiltBase(cached.revision, cached.plan, base, 0 if cached.structure is None else cached.structure.nbytes)


def build(
    catalog: Catalog,
    cache: VectorCache | None,
    plan: IndexPlan,
    *,
    probes: Callable[[], Vectors | None] = lambda: None,
    threads: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> BuiltBase:
    """A base of all that the catalog holds, published in the cache; without a cache, in memory.

    The vectors go from the catalog to a file and are memory-mapped from there: never are all of them in memory.
    `probes` is called if the kind is one to calibrate. Raises CacheBusy, FoldStopped once `stopped`, OSError, and what
    the catalog raises; the cache is then as it was.
    """
    with closing(catalog.changes_since(0)) as changes:
        first = next(changes, None)  # says what revision it is, and holds no rows
        revision = first.revision if first else 0

        def rows() -> Iterator[tuple[Ids, NDArray[np.float16]]]:
            for change in changes:
                _unless(stopped)
                yield change.put_ids, change.put_vectors
            changes.close()  # the read transaction need not last as long as the build

        def built(ids: Ids, vectors: Stored) -> tuple[Base, NDArray[np.uint8] | None]:
            wanted = probes() if choose_kind(plan, len(ids)) not in _MATRIX else None
            base = build_base(plan, ids, vectors, wanted, threads=threads)
            _unless(stopped)
            return base, base.structure()

        if cache is None:
            base, structure = built(*_in_memory(rows(), catalog.manifest.dimension))
        else:
            with cache.draft() as draft:
                base, structure = built(*draft.write(rows()))
                draft.publish(revision, base.kind, plan, structure, _calibration(base))
    return BuiltBase(revision, plan, base, 0 if structure is None else structure.nbytes)


def _unless(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise FoldStopped


def _in_memory(rows: Iterator[tuple[Ids, NDArray[np.float16]]], dimension: int) -> tuple[Ids, NDArray[np.float16]]:
    ids, vectors = [np.empty(0, np.int64)], [np.empty((0, dimension), np.float16)]
    for some_ids, some_vectors in rows:
        ids.append(some_ids)
        vectors.append(some_vectors)
    return np.concatenate(ids), np.concatenate(vectors)


def summary(built: BuiltBase) -> CacheSummary:
    """What a cache of it says of itself."""
    base = built.base
    return CacheSummary(built.revision, base.kind, built.plan, len(base.ids), built.structure_bytes, _calibration(base))


def bytes_per_vector(base: CacheSummary, dimension: int) -> float:
    """What a search of the base reads of each vector: its code, or all of it, and 9 bytes for the id and the mark.

    A small exact base is float32 in memory, see `WIDEN_UP_TO`.
    """
    if not base.count:
        return 0.0
    whole = dimension * (4 if 4 * base.count * dimension <= WIDEN_UP_TO else 2)
    return (base.structure_bytes / base.count or whole) + 9


def _calibration(base: Base) -> dict[str, Any] | None:
    return base.calibration.to_json() if base.calibration else None


class Background:
    """Does `work` in a thread of its own, once at a time. Its errors are logged."""

    def __init__(self, work: Callable[[], object], retry_seconds: float = RETRY_SECONDS) -> None:
        self._work = work
        self._retry_seconds = retry_seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rests_until = 0.0

    @property
    def running(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive()

    def start(self) -> None:
        """Begin, unless it is at it or has just failed."""
        if self.running or time.monotonic() < self._rests_until:
            return
        with self._lock:
            if not self.running:
                # A daemon: FAISS cannot be interrupted, and Ctrl+C has to end the program.
                self._thread = threading.Thread(target=self._run, name="sightline-fold", daemon=True)
                self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Wait for it, so long at most; whether it has ended."""
        if thread := self._thread:
            thread.join(seconds)
        return not self.running

    def _run(self) -> None:
        _give_way()
        try:
            self._work()
        except FoldStopped:
            _log.debug("a new base was given up: the collection is being closed")
        except CacheBusy as busy:  # what is being built there is taken over the next time
            _log.info("%s", busy)
            self._rests_until = time.monotonic() + self._retry_seconds
        except Exception:  # noqa: BLE001  (there is nobody else to tell, and searches have to go on)
            _log.exception("the vector index could not be built anew; searches go on with the one there is")
            self._rests_until = time.monotonic() + self._retry_seconds


def _give_way() -> None:
    """This thread alone, which only Linux can. A priority that cannot be read or set stays as it is."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)
