"""A collection: a catalog, the vector index made from it, and the manifest that both belong to, kept consistent."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock
import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.database import FILE_NAME, translated
from indexer.errors import (
    CollectionLocked,
    CollectionNotFound,
    ForeignCollection,
    ModelMismatch,
)
from indexer.manifest import Manifest
from indexer.vectors import Ids, Matches
from indexer.vectors.cache import Owner, VectorCache
from indexer.vectors.exact import ExactIndex

VECTORS, THUMBNAILS, QUERIES, WRITE_LOCK = "vectors", "thumbnails", "queries", "write.lock"

_OURS = {VECTORS, THUMBNAILS, QUERIES, WRITE_LOCK}
_CREATE_SECONDS = 30.0  # for another process that is making the same collection, which takes it a fraction of one
_STALE = 1000  # changed rows that make it worth saving the cache on close: fewer are read in milliseconds

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CollectionStats:
    library: Path
    images: int
    image_bytes: int
    """Size of the indexed files together."""
    formats: dict[str, int]
    """Images of each format, most first."""
    model: str
    dimension: int
    precision: str
    index: str
    """Kind of the vector index."""
    bytes_on_disk: int
    """Of the library itself: catalog, caches and thumbnails."""
    revision: int


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    revision: int
    index: ExactIndex
    unsaved: int
    """Rows changed since the cache on disk was written."""


class Collection:
    """Made by `open` or `open_or_create`. Threads may share it; one process at a time writes, inside `writing()`."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.library = catalog.library
        self.manifest = catalog.manifest
        owner = Owner(catalog.uid, self.manifest.weights_hash, self.manifest.dimension)
        self._cache = VectorCache(self.library / VECTORS, owner)
        self._snapshot: _Snapshot | None = None
        self._refreshing = threading.Lock()
        self._closed = False
        self._drop_cache_from_the_future()

    @classmethod
    def open(cls, library: Path) -> Collection:
        """Raises CollectionNotFound, ForeignCollection, CollectionTooNew, CollectionDamaged, CollectionUnavailable."""
        return cls(Catalog.open(library))

    @classmethod
    def open_or_create(cls, library: Path, manifest: Manifest) -> Collection:
        """The collection in `library`, or a new one there; a folder that holds something else is left alone.

        Raises what `open` raises but CollectionNotFound, and ModelMismatch if it was made with another model.
        """
        try:
            collection = cls.open(library)
        except CollectionNotFound:
            collection = cls(_create(library, manifest))
        try:
            collection.check_model(manifest)
        except ModelMismatch:
            collection.close()
            raise
        return collection

    def check_model(self, manifest: Manifest) -> None:
        """Raises ModelMismatch if embeddings of that model do not belong among ours."""
        difference = self.manifest.difference(manifest)
        if difference:
            field, stored, given = difference
            raise ModelMismatch(str(self.library), field=field, stored=stored, given=given, model=self.manifest.model)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the collection for writing; a process that dies lets go. Raises CollectionLocked if another holds it."""
        with _locked(self.library, seconds=0):
            yield

    def search(self, queries: NDArray[np.float32], k: int, allowed: Ids | None = None) -> list[Matches]:
        """The k nearest images of each of `(n, dimension)` unit queries, as of the last commit; see `VectorIndex`."""
        return self.snapshot().search(queries, k, allowed)

    def snapshot(self) -> ExactIndex:
        """The index as of the last commit. It never changes: who pages through results may keep it."""
        return self._refreshed().index

    def vector(self, id: int) -> NDArray[np.float32]:
        """An image's embedding, `(dimension,)`, unit length. Raises ImageNotFound."""
        vector = self.catalog.vector(id).astype(np.float32)
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit

    def save_cache(self) -> None:
        """Write the vectors beside the catalog, so that the next open is fast. Failing to is only logged."""
        snapshot = self._refreshed()
        if self._cache.revision() != snapshot.revision:
            ids, vectors = snapshot.index.contents()
            if not self._cache.save(ids, vectors, snapshot.revision):
                return
        with self._refreshing:
            if self._snapshot is snapshot:
                self._snapshot = _Snapshot(snapshot.revision, snapshot.index, unsaved=0)

    def stats(self) -> CollectionStats:
        snapshot = self._snapshot
        return CollectionStats(
            library=self.library,
            images=self.catalog.count(),
            image_bytes=self.catalog.total_bytes(),
            formats=self.catalog.formats(),
            model=self.manifest.model,
            dimension=self.manifest.dimension,
            precision=self.manifest.precision,
            index=snapshot.index.kind if snapshot else ExactIndex.KIND,
            bytes_on_disk=_bytes_below(self.library),
            revision=self.catalog.revision(),
        )

    def close(self) -> None:
        """May be called twice. Saves the cache if much has changed since."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._snapshot and self._snapshot.unsaved >= _STALE:
                self.save_cache()
        finally:
            self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refreshed(self) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot and snapshot.revision == self.catalog.revision():
            return snapshot
        with self._refreshing:
            self._snapshot = self._caught_up(self._snapshot or self._loaded())
            return self._snapshot

    def _loaded(self) -> _Snapshot:
        cached = self._cache.load()
        if cached and cached.revision <= self.catalog.revision():
            return _Snapshot(cached.revision, ExactIndex.build(cached.ids, cached.vectors), unsaved=0)
        nothing = np.empty((0, self.manifest.dimension), np.float16)
        return _Snapshot(0, ExactIndex.build(np.empty(0, np.int64), nothing), unsaved=0)

    def _caught_up(self, snapshot: _Snapshot) -> _Snapshot:
        """With what the catalog has had since."""
        changes = list(self.catalog.changes_since(snapshot.revision))
        if not changes:
            return snapshot
        put = np.concatenate([change.put_ids for change in changes])
        vectors = np.concatenate([change.put_vectors for change in changes])
        removed = np.concatenate([change.removed_ids for change in changes])
        index = snapshot.index.changed(put, vectors, removed) if len(snapshot.index) else ExactIndex.build(put, vectors)
        return _Snapshot(changes[-1].revision, index, snapshot.unsaved + len(put) + len(removed))

    def _drop_cache_from_the_future(self) -> None:
        """An older catalog was put back from a backup: its revisions will come again and mean something else."""
        cached = self._cache.revision()  # before the catalog's, which only grows
        if cached is not None and cached > self.catalog.revision():
            _log.warning("the vector cache in %s is newer than the catalog and is dropped", self.library)
            self._cache.discard()


def _create(library: Path, manifest: Manifest) -> Catalog:
    _check_folder(library)
    with translated(library):
        library.mkdir(parents=True, exist_ok=True)
    with _locked(library, seconds=_CREATE_SECONDS):
        try:
            return Catalog.open(library)  # somebody else was faster
        except CollectionNotFound:
            return Catalog.create(library, manifest)


def _check_folder(library: Path) -> None:
    """Refuse to mix a collection into a folder that is used for something else, such as the photos themselves."""
    with translated(library):
        try:
            names = sorted(path.name for path in library.iterdir())
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise ForeignCollection(str(library), "it is a file") from None
    foreign = [name for name in names if name not in _OURS and not name.startswith(FILE_NAME) and name != "lost+found"]
    if foreign:
        raise ForeignCollection(str(library), f"it holds other files, such as {foreign[0]!r}")


@contextmanager
def _locked(library: Path, *, seconds: float) -> Iterator[None]:
    lock = filelock.FileLock(library / WRITE_LOCK, timeout=seconds)
    with translated(library):
        try:
            lock.acquire()
        except filelock.Timeout:
            raise CollectionLocked(str(library)) from None
    try:
        yield
    finally:
        lock.release()


def _bytes_below(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  (there may be a million)
            except FileNotFoundError:  # a thumbnail or a log that went while we were counting
                continue
    return total
