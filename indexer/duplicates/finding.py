"""The run that finds duplicates: what fingerprints are missing, then all links and groups anew."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.collection import Collection
from indexer.duplicates.contents import Contents
from indexer.duplicates.fingerprints import fingerprint
from indexer.duplicates.kinds import KINDS, Kind
from indexer.duplicates.matching import RULES, links
from indexer.duplicates.store import DuplicateStore
from indexer.errors import UnreadableImage
from indexer.images import Limits
from indexer.lookahead import look_ahead
from indexer.originals import Originals
from indexer.records import FileState
from indexer.reports import Failure
from indexer.thumbnails import Side, ThumbnailFolder
from indexer.vectors import Stored
from indexer.vectors.segmented import positions

JOB: Final = "deduplicate"
"""The kind of job that this is."""
_PAGE = 1000
_BATCH = 256

Advance = Callable[[int, int, str], None]
"""Told often how many images have a fingerprint, how many there are, and what is being done. May raise, to end it."""


@dataclass(frozen=True, slots=True)
class DuplicatesReport:
    images: int
    fingerprints: int
    """Made by this run."""
    links: dict[Kind, int]
    """Of each kind but identical."""
    copies: int
    """Images whose bytes another one has."""
    groups: dict[Kind, int]
    """At each level: by links of that kind and closer ones."""
    model_id: int
    """Whose embeddings were compared."""
    revision: int
    """Of these."""
    rules: int
    """What was compared by."""
    failures: tuple[Failure, ...]
    seconds: float


def find_duplicates(
    collection: Collection, advance: Advance, *, limits: Limits | None = None, threads: int | None = None
) -> DuplicatesReport:
    """Compare all images of the collection with each other. Fingerprints are committed as they come, and kept.

    Images that cannot be read are compared by their bytes and embeddings alone.
    """
    started = time.monotonic()
    store = collection.catalog.duplicate_store
    made, failures = _fill(collection, store, advance, limits or Limits(), threads or max(2, os.cpu_count() or 1))
    revision = collection.catalog.revision()
    contents, vectors = _with_vectors(collection, store.contents())
    count = len(contents) + contents.copies
    found = links(contents, vectors, lambda doing: advance(count, count, doing))
    return DuplicatesReport(
        images=count,
        fingerprints=made,
        links={kind: sum(link.kind == kind for link in found) for kind in KINDS if kind != "identical"},
        copies=contents.copies,
        groups=store.replace(found),
        model_id=collection.catalog.model_id,
        revision=revision,
        rules=RULES,
        failures=failures,
        seconds=time.monotonic() - started,
    )


def is_current(collection: Collection) -> bool:
    """Whether the last run that ended has seen the collection as it is now."""
    now = {"model_id": collection.catalog.model_id, "revision": collection.catalog.revision(), "rules": RULES}
    ended = (job for job in collection.catalog.jobs.all() if job.kind == JOB and job.state == "done")
    last = next(ended, None)
    return last is not None and now.items() <= (last.result or {}).items()


def _with_vectors(collection: Collection, contents: Contents) -> tuple[Contents, Stored]:
    """Those that the index has, too: images may come and go while their rows are read."""
    ids, vectors = collection.snapshot().contents()
    there = np.isin(contents.ids, ids, assume_unique=True)
    contents = contents.where(there)
    rows = positions(ids, contents.ids)
    return contents, vectors if np.array_equal(rows, np.arange(len(ids))) else vectors[rows]


def _fill(
    collection: Collection, store: DuplicateStore, advance: Advance, limits: Limits, threads: int
) -> tuple[int, tuple[Failure, ...]]:
    reader = _Reader(collection, limits)
    failures: dict[int, Failure] = {}
    made: set[str] = set()
    batch: list[tuple[str, bytes]] = []
    total = collection.catalog.count()
    done = total - store.count_missing()
    advance(done, total, "reading pictures")
    with closing(look_ahead(reader.fingerprint, _missing(store, made), threads=threads, ahead=2 * threads)) as ahead:
        for file, future in ahead:
            done += 1
            if file.content_hash in made:
                continue
            try:
                batch.append((file.content_hash, future.result()))
                made.add(file.content_hash)
            except UnreadableImage as error:
                failures[file.id] = Failure(file.path, str(error))
            if len(batch) >= _BATCH:
                store.put_fingerprints(batch)
                batch.clear()
                advance(min(done, total), total, "reading pictures")
    store.put_fingerprints(batch)
    return len(made), tuple(failures.values())


def _missing(store: DuplicateStore, made: set[str]) -> Iterator[FileState]:
    """One file of each content, and the next copy of it only if none before could be read."""
    after_id = 0
    while page := store.missing(_PAGE, after_id):
        yield from (file for file in page if file.content_hash not in made)
        after_id = page[-1].id


class _Reader:
    def __init__(self, collection: Collection, limits: Limits) -> None:
        self._thumbnails, self._originals = ThumbnailFolder(collection.library), Originals(limits)
        self._limits = limits

    def fingerprint(self, file: FileState) -> bytes:
        """Runs in a thread of the pool. Raises UnreadableImage."""
        thumbnail = self._thumbnails.read(file.content_hash, Side.TILE)
        if thumbnail is not None:
            with suppress(UnreadableImage):  # cut short by a crash: the original tells
                return bytes(fingerprint(thumbnail, self._limits))
        data = self._originals.read(file.path)
        if hashlib.sha256(data).hexdigest() != file.content_hash:
            raise UnreadableImage("it has changed since it was indexed; `sightline index` takes it in")
        return bytes(fingerprint(data, self._limits))
