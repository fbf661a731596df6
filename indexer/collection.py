"""A collection: a catalog, the vector index made from it, and the manifest that both belong to, kept consistent."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog
from indexer.errors import (
    CollectionNotFound,
    ModelMismatch,
    ModelReplaced,
)
from indexer.library_folder import bytes_below, create_catalog, locked, vectors_folder
from indexer.manifest import Manifest
from indexer.probes import probes
from indexer.roots import Root
from indexer.vectors import Ids, Matches, fold
from indexer.vectors.cache import CacheBusy, Owner, VectorCache
from indexer.vectors.fold import BuiltBase
from indexer.vectors.planning import IndexPlan
from indexer.vectors.segmented import SegmentedIndex

if TYPE_CHECKING:
    from indexer.encoder import Encoder

_MANY = 1000  # images whose vectors are worth a file when there is none: fewer are read in a few milliseconds
_CLOSE_SECONDS = 10.0  # for a new base that is being built: a million vectors take it, and nobody wants to wait longer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexStats:
    kind: str
    base: int
    """Vectors that its structure was built of."""
    tail: int
    """Newer ones, not yet in the base."""
    dead: int
    """Of the base, removed or replaced since."""
    bytes_per_vector: float
    """What every search reads: codes or matrix, ids and marks; 0 with an empty base."""
    calibration: dict[str, Any] | None
    """See `Calibration`; None for exact kinds."""
    folding: bool
    """Whether a new base is being built by this process."""


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
    index: IndexStats
    bytes_on_disk: int
    """Of the library itself: catalog, caches and thumbnails."""
    revision: int
    roots: tuple[Root, ...]
    """Where the images come from, and whether that is there."""


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    revision: int
    index: SegmentedIndex
    built: BuiltBase
    """Its base, and since when it is."""

    @classmethod
    def of(cls, built: BuiltBase) -> _Snapshot:
        return cls(built.revision, SegmentedIndex.of(built.base), built)


class Collection:
    """Made by `open` or `open_or_create`. Threads may share it; one process at a time writes, inside `writing()`."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.library = catalog.library
        self.manifest = catalog.manifest
        owner = Owner(catalog.uid, self.manifest.weights_hash, self.manifest.dimension)
        self._cache = VectorCache(self.library / vectors_folder(catalog.model_id), owner)
        self._snapshot: _Snapshot | None = None
        self._refreshing = threading.Lock()  # never held while a base is built
        self._folding = threading.Lock()
        self._background: fold.Background | None = None
        self._closing = threading.Event()
        self._plan = self._cache.plan() or IndexPlan()
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
            collection = cls(create_catalog(library, manifest))
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
        """Hold the collection for writing; a process that dies lets go.

        Raises CollectionLocked if another holds it, and ModelReplaced if another model has been promoted since.
        """
        with locked(self.library, seconds=0):
            if self.catalog.models.serving() != self.catalog.model_id:
                raise ModelReplaced(str(self.library), self.manifest.model)
            yield

    def promote(self, model_id: int) -> None:
        """Have another model answer the searches, of whoever opens the collection from now on.

        Raises CollectionLocked while somebody indexes, and what `ModelShelf.promote` raises.
        """
        with locked(self.library, seconds=0):
            self.catalog.models.promote(model_id)

    def drop_missing(self, model_id: int) -> int:
        """Take images out that have no embedding of that model, their files being gone or damaged; returns how many.

        Raises CollectionLocked while somebody indexes, and ModelNotFound.
        """
        target, removed = self.catalog.of_model(model_id), 0
        with locked(self.library, seconds=0):
            while page := target.missing(_MANY):
                self.catalog.remove([file.id for file in page])
                removed += len(page)
        return removed

    def drop(self, model_id: int) -> None:
        """Forget a model that does not serve, with its vectors. Raises what `ModelShelf.drop` raises."""
        with locked(self.library, seconds=0):
            self.catalog.models.drop(model_id)
        shutil.rmtree(self.library / vectors_folder(model_id), ignore_errors=True)

    def of_model(self, model_id: int) -> Self:
        """The same collection by another of its models, which may not serve. Raises ModelNotFound."""
        return type(self)(self.catalog.of_model(model_id))

    def search(self, queries: NDArray[np.float32], k: int, allowed: Ids | None = None) -> list[Matches]:
        """The k nearest images of each of `(n, dimension)` unit queries, as of the last commit; see `VectorIndex`."""
        return self.snapshot().search(queries, k, allowed)

    def snapshot(self) -> SegmentedIndex:
        """The index as of the last commit. It never changes: who pages through results may keep it."""
        return self._refreshed().index

    @property
    def plan(self) -> IndexPlan:
        """What was chosen for the index of this collection; else the default, which goes by its size."""
        return self._plan

    def choose(self, plan: IndexPlan) -> None:
        """From now on, also when it is opened again. A base that does not go by it stays until the next `fold`."""
        self._plan = plan
        try:
            self._cache.choose(plan)
        except OSError as error:
            _log.warning("the choice of an index cannot be kept in %s: %s", self.library, error)

    def fold(self, encoder: Encoder | None = None, *, always: bool = False) -> bool:
        """Build the base of the index anew, if that is worth it, and keep it beside the catalog; whether it was done.

        With the collection's encoder, an approximate kind is calibrated with texts, too. That it cannot be written, or
        that another process is at it, is only logged.
        """
        try:
            return self._fold(encoder, always=always)
        except CacheBusy as busy:
            _log.info("%s", busy)
        except OSError as error:
            _log.warning("the vector cache in %s cannot be saved: %s", self.library, error)
        return False

    def fold_in_background(self, encoder: Encoder | None = None) -> None:
        """Build a new base whenever one is worth it, in a thread, while searches go on: for a process that stays."""
        self._background = fold.Background(lambda: self._fold_unseen(encoder))
        self._background.start()

    def vector(self, id: int) -> NDArray[np.float32]:
        """An image's embedding, `(dimension,)`, unit length. Raises ImageNotFound."""
        vector = self.catalog.vector(id).astype(np.float32)
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit

    def kept_texts(self, named: str, texts: Sequence[str], encoder: Encoder) -> NDArray[np.float32] | None:
        """`(len(texts), dimension)` unit rows, encoded once and kept beside the vectors by that name; see `probes`."""
        return probes(self._cache.folder, self.manifest, encoder, texts, named=named)

    @property
    def map_file(self) -> Path:
        """Of the model's map; see `projection`."""
        return self._cache.folder / "map.npz"

    def stats(self) -> CollectionStats:
        images = self.catalog.count()
        return CollectionStats(
            library=self.library,
            images=images,
            image_bytes=self.catalog.total_bytes(),
            formats=self.catalog.formats(),
            model=self.manifest.model,
            dimension=self.manifest.dimension,
            precision=self.manifest.precision,
            index=self._index_stats(images),
            bytes_on_disk=bytes_below(self.library),
            revision=self.catalog.revision(),
            roots=tuple(self.catalog.roots.all()),
        )

    def _index_stats(self, images: int) -> IndexStats:
        """Of the index in memory; if nobody has searched yet, of the one that would be loaded."""
        loaded = self._snapshot
        base = fold.summary(loaded.built) if loaded else self._cache.summary()
        folding = self._background is not None and self._background.running
        if base is None:
            return IndexStats("exact", 0, images, 0, 0.0, None, folding)
        tail = self.catalog.count(since=base.revision)
        return IndexStats(
            kind=base.kind,
            base=base.count,
            tail=tail,
            dead=max(0, base.count + tail - images),  # another process may have committed between the two counts
            bytes_per_vector=fold.bytes_per_vector(base, self.manifest.dimension),
            calibration=base.calibration,
            folding=folding,
        )

    def close(self) -> None:
        """May be called twice. A base that is being built is waited for a little, and then given up."""
        self._closing.set()
        if self._background and not self._background.finish(_CLOSE_SECONDS):
            _log.info("closed while a new base was being built; it is given up")
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
            snapshot = self._snapshot = self._caught_up(self._snapshot or _Snapshot.of(self._loaded()))
        if self._background and self._outdated(snapshot):
            self._background.start()
        return snapshot

    def _loaded(self) -> BuiltBase:
        """What the cache has; else an exact base, the fastest to build, made from the catalog and cached."""
        cached = fold.restored(self._cache)
        if cached and cached.revision <= self.catalog.revision():
            return cached
        exact = IndexPlan("exact")
        count = self.catalog.count()
        if count >= _MANY:
            _log.info("the vector cache in %s is made anew from %d images", self.library, count)
            try:
                return fold.build(self.catalog, self._cache, exact)
            except CacheBusy as busy:
                _log.info("%s", busy)
            except OSError as error:
                _log.warning("the vector cache in %s cannot be saved: %s", self.library, error)
        return fold.build(self.catalog, None, exact)

    def _caught_up(self, snapshot: _Snapshot) -> _Snapshot:
        """With what the catalog has had since."""
        changes = list(self.catalog.changes_since(snapshot.revision))
        if not changes:
            return snapshot
        put = np.concatenate([change.put_ids for change in changes])
        vectors = np.concatenate([change.put_vectors for change in changes])
        removed = np.concatenate([change.removed_ids for change in changes])
        return replace(snapshot, revision=changes[-1].revision, index=snapshot.index.changed(put, vectors, removed))

    def _outdated(self, snapshot: _Snapshot) -> bool:
        return fold.outdated(snapshot.index, snapshot.built.plan, self._plan)

    def _fold(self, encoder: Encoder | None, *, always: bool = False) -> bool:
        """Raises CacheBusy, OSError, and what the catalog raises."""
        with self._folding:
            self._plan = self._cache.plan() or self._plan  # another process may have chosen since
            if not always and self._is_settled():
                return False
            self._swap_in(self._built(self._cache, encoder))
            return True

    def _fold_unseen(self, encoder: Encoder | None) -> None:
        """In the background. Where nothing can be written the new base stays in memory."""
        self._refreshed()  # so that the first search need not wait for the index to be loaded
        try:
            self._fold(encoder)
        except OSError as error:
            _log.warning("the vector cache in %s cannot be saved: %s", self.library, error)
            self._swap_in(self._built(None, encoder))

    def _built(self, cache: VectorCache | None, encoder: Encoder | None) -> BuiltBase:
        return fold.build(
            self.catalog,
            cache,
            self._plan,
            probes=lambda: probes(self._cache.folder, self.manifest, encoder),
            threads=1 if self._background else None,  # the others are for searches
            stopped=self._closing.is_set,
        )

    def _is_settled(self) -> bool:
        """Whether the base may stay; one that another process has built meanwhile is taken over."""
        summary = self._cache.summary()
        if self._snapshot is None:  # nobody has searched: the index need not be loaded to see that nothing has changed
            if summary is None:
                return self.catalog.count() == 0
            if summary.revision == self.catalog.revision():
                return not fold.differs(summary.kind, summary.plan, self._plan, summary.count)
        snapshot = self._refreshed()
        if not self._outdated(snapshot):
            return True
        ours = snapshot.built
        if summary is None or summary.revision < ours.revision:
            return False
        if (summary.revision, summary.plan) == (ours.revision, ours.plan):
            return False
        theirs = fold.restored(self._cache)
        if theirs is None or theirs.revision > self.catalog.revision():
            return False
        return not self._outdated(self._swap_in(theirs))

    def _swap_in(self, built: BuiltBase) -> _Snapshot:
        """Make it the base of what is searched from now on."""
        fresh = self._caught_up(_Snapshot.of(built))  # what came while it was built; readers do not wait for that
        with self._refreshing:
            self._snapshot = self._caught_up(fresh)
            return self._snapshot

    def _drop_cache_from_the_future(self) -> None:
        """An older catalog was put back from a backup: its revisions will come again and mean something else."""
        cached = self._cache.summary()  # before the catalog's revision, which only grows
        if cached and cached.revision > self.catalog.revision():
            self._cache.reject("it is newer than the catalog")
