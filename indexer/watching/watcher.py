"""Follows the changes of roots and syncs what has changed; now and then it looks at everything."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from indexer.collection import Collection
from indexer.config import Settings
from indexer.encoder import Encoder
from indexer.errors import CollectionError, CollectionLocked, CollectionUnavailable, InvalidRequest, ModelReplaced
from indexer.pipeline import sync
from indexer.reports import Progress, SyncReport
from indexer.root_sync import SourceReport, Target, sync_targets, total
from indexer.roots import FOLDER, Key, Root
from indexer.scope import Scope
from indexer.source_roots import open_known, sources_of, sync_opened
from indexer.sources import ImageSource
from indexer.sources.naming import NamedSource
from indexer.watching.listener import Listener, Told
from indexer.watching.mounts import is_on_network

_MANY = 10_000  # changed paths at once: to look at everything is quicker
_LONGEST = 10.0  # seconds that changes are gathered for while more and more come
_log = logging.getLogger(__name__)

Identity = tuple[tuple[str, int, int], ...]
"""Device and inode of a root and of the mount points in it: another one when a disk is mounted or unmounted."""

OpenCollection = Callable[[], AbstractContextManager[tuple[Collection, Encoder]]]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    full_scan: float = 3600.0
    """From one look at everything to the next."""
    quiet: float = 0.3
    """That nothing changes before what has changed is looked at."""
    retry: float = 5.0
    """Until it is tried again: whether a root is back, whether the collection is free."""
    after_error: float = 60.0
    """Until what has failed is tried again."""
    poll: float = 30.0
    """Between two looks at files whose changes nobody tells of."""


@dataclass(slots=True)
class _Watched:
    root: Root
    remembered: bool = False
    """Whether the collection knows it."""
    identity: Identity | None = None
    """None while it is not there."""
    listener: Listener | None = None
    changed: set[str] = field(default_factory=set)
    full_at: float = 0.0
    """When all of it is looked at next, by `time.monotonic`."""
    offline: str = ""
    """Why, as it was said last."""


class _Stopped(BaseException):
    """In the middle of a sync; what was committed is kept."""


class Watcher:
    """`run` returns when `stop` is set; `say` gets a line for people whenever something has happened.

    The collection is held for writing only while something is synced.
    """

    def __init__(
        self,
        settings: Settings,
        roots: Sequence[Root],
        open_collection: OpenCollection,
        say: Callable[[str], None],
        *,
        stop: threading.Event,
        adopt: bool = False,
        poll: bool | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`adopt`: whether roots that come to the collection meanwhile are followed, too.

        `poll`: whether to look again and again instead of being told; None: on network file systems.
        """
        self._settings, self._open_collection, self._say, self._stop = settings, open_collection, say, stop
        self._adopt, self._poll, self._pace = adopt, poll, pace or Pace()
        self._watched: dict[Key, _Watched] = {root.key: _Watched(root) for root in roots}
        self._told: queue.Queue[Told] = queue.Queue()
        self._attend_at = self._not_before = 0.0
        self._sources = 0  # other than folders, as was said last
        self._trouble = ""  # what was said of it last
        self._failures: set[tuple[str, str]] = set()  # that were said

    def run(self) -> None:
        """Raises what no waiting mends: a collection that is damaged, or a model that is not its own any more."""
        try:
            while not self._stop.is_set():
                try:
                    with self._open_collection() as (collection, encoder):
                        self._follow(collection, encoder)
                except ModelReplaced as replaced:  # opened again it has the other model
                    self._say(str(replaced))
        except _Stopped:
            return
        finally:
            for watched in self._watched.values():
                self._deafen(watched)

    def _follow(self, collection: Collection, encoder: Encoder) -> None:
        while not self._stop.is_set():
            if time.monotonic() >= self._attend_at:
                with self._enduring():
                    self._take_over(collection.catalog.roots.all())
                self._attend()
            if time.monotonic() >= self._not_before:
                with self._enduring():
                    self._sync_what_is_due(collection, encoder)
            self._wait()

    # Who is there

    def _attend(self) -> None:
        """Listens to folders that have come, and to those whose disk is another one now.

        Of another source that has come, gone or been replaced all is looked at.
        """
        self._attend_at = time.monotonic() + self._pace.retry
        self._tell_sources()
        for watched in self._watched.values():
            identity = _identity(watched.root)
            listens = watched.listener is not None and watched.listener.alive
            told = listens or identity is None or watched.root.kind != FOLDER
            if identity == watched.identity and told:
                continue
            self._deafen(watched)
            watched.identity, watched.full_at = identity, 0.0
            if identity is not None and watched.root.kind == FOLDER:
                self._listen(watched)

    def _listen(self, watched: _Watched) -> None:
        path, every = watched.root.path, self._pace.poll
        polls = is_on_network(path) if self._poll is None else self._poll
        for seconds in (every,) if polls else (None, every):
            listener = Listener(path, self._told, poll_seconds=seconds, ignore=self._is_ours)
            if listener.start():
                watched.listener = listener
                self._say(f"watching {path}" + (f", looking every {every:g} s" if seconds else ""))
                return
            self._say(f"cannot listen to {path}: {listener.error}")

    def _deafen(self, watched: _Watched) -> None:
        if watched.listener:
            watched.listener.stop()
        watched.listener = None

    def _is_ours(self, path: str) -> bool:
        """What the collection itself writes, should it be among the pictures."""
        library = str(self._settings.library)
        return path == library or path.startswith(f"{library}/")

    # What has changed

    def _wait(self) -> None:
        """Until something has changed and then nothing for a while, or it is time for something else."""
        began = time.monotonic()
        work = min(
            (0.0 if watched.changed else watched.full_at for watched in self._watched.values()), default=began + 1
        )
        due = min(self._attend_at, max(work, self._not_before))
        patience = min(max(due - began, 0.05), 1.0)  # to see that it is to stop
        while self._gathered(patience) and not self._stop.is_set() and time.monotonic() - began < _LONGEST:
            patience = self._pace.quiet

    def _gathered(self, seconds: float) -> bool:
        """Whether something was told of within that time."""
        try:
            folder, paths = self._told.get(timeout=seconds)
        except queue.Empty:
            return False
        watched = self._watched.get((folder, FOLDER))
        if watched is not None:
            watched.changed |= paths
            if len(watched.changed) > _MANY:
                watched.full_at = 0.0
        return True

    def _sync_what_is_due(self, collection: Collection, encoder: Encoder) -> None:
        now = time.monotonic()
        self._take_over(collection.catalog.roots.all())
        due = [watched for watched in self._watched.values() if watched.changed or now >= watched.full_at]
        folders = [watched for watched in due if watched.root.kind == FOLDER]
        others = [watched for watched in due if watched.root.kind != FOLDER]
        if folders:
            self._sync_folders(folders, collection, encoder, now)
        if others:
            self._sync_sources(others, collection, encoder)

    def _sync_folders(self, due: Sequence[_Watched], collection: Collection, encoder: Encoder, now: float) -> None:
        whole = {watched.root.path for watched in due if now >= watched.full_at}
        targets = [
            Target(watched.root, None if watched.root.path in whole else tuple(sorted(watched.changed)))
            for watched in due
        ]
        run = self._syncing(collection, encoder)
        reports = list(sync_targets(collection, targets, self._settings, run))
        self._after(due, [watched for watched in due if watched.root.path in whole], reports, collection)

    def _sync_sources(self, due: Sequence[_Watched], collection: Collection, encoder: Encoder) -> None:
        """Nobody tells of what changes in them, so all of them is looked at, now and then."""
        reports: list[SourceReport] = []
        for named in sources_of([watched.root for watched in due]):
            opened = open_known(named, collection.catalog.roots.all(), self._settings)
            reports += sync_opened(collection, opened, self._syncing(collection, encoder, named))
        self._after(due, due, reports, collection)

    def _syncing(
        self, collection: Collection, encoder: Encoder, named: NamedSource | None = None
    ) -> Callable[[object, ImageSource, Scope], SyncReport]:
        settings = named.tuned(self._settings) if named else self._settings

        def check(progress: Progress) -> None:
            if self._stop.is_set():
                raise _Stopped

        def run(what: object, source: ImageSource, scope: Scope) -> SyncReport:
            return sync(
                collection,
                encoder,
                source,
                limits=settings.limits,
                batch_size=settings.fixed_batch_size,
                threads=settings.threads,
                progress=check,
                scope=scope,
            )

        return run

    def _after(
        self,
        due: Sequence[_Watched],
        whole: Sequence[_Watched],
        reports: Sequence[SourceReport],
        collection: Collection,
    ) -> None:
        self._trouble = ""
        self._take_over(collection.catalog.roots.all())  # with the mounts that were met, and whether they are there
        for watched in due:
            watched.changed = set()
            self._tell_state(watched)
        for watched in whole:
            watched.full_at = time.monotonic() + self._pace.full_scan
            watched.identity = _identity(watched.root)
        self._tell_counts(reports)

    def _take_over(self, known: Sequence[Root]) -> None:
        """What others have decided meanwhile: other patterns, a root that is forgotten, one that is new."""
        found = {root.key: root for root in known}
        for key, watched in list(self._watched.items()):
            if key in found:
                watched.root, watched.remembered = found[key], True
            elif watched.remembered:
                self._deafen(watched)
                del self._watched[key]
                self._say(f"forgotten: {watched.root.path}")
        for key in found.keys() - self._watched.keys() if self._adopt else ():
            self._watched[key] = _Watched(found[key], remembered=True)
            self._attend_at = 0.0

    @contextmanager
    def _enduring(self) -> Iterator[None]:
        """What may pass is said once and tried again later; all that has changed is remembered."""
        try:
            yield
        except CollectionLocked:
            self._try_again(self._pace.retry, "another process is writing to the collection; waiting for it to end")
        except CollectionUnavailable as error:
            self._try_again(self._pace.after_error, str(error))
        except (CollectionError, InvalidRequest):
            raise
        except Exception as error:  # noqa: BLE001 - a failing encoder must not end what runs for weeks
            _log.debug("a sync failed", exc_info=True)
            self._try_again(self._pace.after_error, f"{type(error).__name__}: {' '.join(str(error).split())}")

    def _try_again(self, seconds: float, trouble: str) -> None:
        self._not_before = time.monotonic() + seconds
        if trouble != self._trouble:
            self._say(f"{trouble} (tried again every {seconds:g} s)")
        self._trouble = trouble

    # What is said

    def _tell_sources(self) -> None:
        number = sum(watched.root.kind != FOLDER for watched in self._watched.values())
        if number != self._sources:
            self._sources = number
            sources = "1 other source" if number == 1 else f"{number:,} other sources"
            self._say(f"watching {sources}, looking every {self._pace.full_scan / 60:g} min")

    def _tell_state(self, watched: _Watched) -> None:
        reason, path = watched.root.reason, watched.root.path
        if reason and not watched.offline:
            self._say(f"offline: {path}: {reason}")
        elif watched.offline and not reason:
            self._say(f"online again: {path}")
        watched.offline = reason

    def _tell_counts(self, reports: Sequence[SourceReport]) -> None:
        whole, roots = total(reports), {root.path for root in reports}
        for failure in whole.failures:
            if failure.path not in roots and (failure.path, failure.reason) not in self._failures:
                self._failures.add((failure.path, failure.reason))
                self._say(f"failed: {failure.path}: {failure.reason}")
        counts = {name: getattr(whole, name) for name in ("added", "changed", "moved", "removed", "excluded")}
        if any(counts.values()):
            self._say(", ".join(f"{number:,} {name}" for name, number in counts.items() if number))


def _identity(root: Root) -> Identity | None:
    """None if the root is not there."""
    found = []
    for folder in (root.path, *root.mounts):
        try:
            status = Path(folder).stat()
        except OSError:
            if folder == root.path:
                return None
            continue
        found.append((folder, status.st_dev, status.st_ino))
    return tuple(found)
