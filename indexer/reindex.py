"""Embeddings by another model, beside those of the one that serves.

Only what is missing is computed, so it goes on where it stopped. Workers, of one process or of several, share the
images out by ranges of ids; what came or changed while they worked is done at the end.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from indexer.catalog import Catalog, FileState
from indexer.encoder import Encoder
from indexer.errors import UnreadableImage
from indexer.images import Limits, Pixels
from indexer.jobs.leases import new_owner
from indexer.jobs.shards import Shard, Shards
from indexer.lookahead import look_ahead
from indexer.originals import Originals
from indexer.reports import Failure

SHARD_IMAGES = 4096
"""Ids a shard: some minutes of work on a CPU, seconds on a GPU."""
_PAGE = 1000
_WAIT_SECONDS = 1.0  # between two looks at whether the other workers have finished

Advance = Callable[[int, int], None]
"""Told after every batch how many images have an embedding, and how many there are."""


@dataclass(frozen=True, slots=True)
class ReindexReport:
    model: str
    model_id: int
    filled: int
    """Images that this worker embedded."""
    missing: int
    """Images that still have no embedding: those that failed, and what came at the last moment."""
    failures: tuple[Failure, ...]
    seconds: float


def reindex(
    catalog: Catalog,
    encoder: Encoder,
    shards: Shards,
    advance: Advance,
    *,
    limits: Limits | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    shard_images: int = SHARD_IMAGES,
) -> ReindexReport:
    """Give every image of the catalog an embedding by that encoder, as far as its file is there and the same.

    `shards` are those of the job that this is. Raises what `advance`, the catalog and the encoder raise; what has been
    committed stays. Without a `batch_size` it is the encoder's own.
    """
    manifest = replace(encoder.manifest, decode_policy=catalog.manifest.decode_policy)
    target = catalog.of_model(catalog.models.add(manifest))
    size, decoders = batch_size or encoder.batch_size, threads or max(2, os.cpu_count() or 1)
    worker = _Worker(catalog, target, encoder, limits or Limits(), size, decoders)
    return worker.run(shards, advance, shard_images)


class _Worker:
    def __init__(
        self, catalog: Catalog, target: Catalog, encoder: Encoder, limits: Limits, batch_size: int, threads: int
    ) -> None:
        self._catalog, self._target, self._encoder = catalog, target, encoder
        self._limits, self._batch_size, self._threads = limits, batch_size, threads
        self._originals = Originals(limits)
        self._filled = 0
        self._failures: dict[int, Failure] = {}

    def run(self, shards: Shards, advance: Advance, shard_images: int) -> ReindexReport:
        started = time.monotonic()
        owner = new_owner()
        newest = self._catalog.latest(1)
        shards.cover(newest[0].id if newest else 0, shard_images)
        self._advance(advance)
        while (shard := shards.claim(owner)) is not None:
            try:
                self._work_on(shard, shards, owner, advance)
            except BaseException:
                shards.release(shard.number, owner)
                raise
            shards.finish(shard.number, owner)
        while shards.left():  # other workers are at them, or die and leave them to us
            time.sleep(_WAIT_SECONDS)
            self._advance(advance)
            if (shard := shards.claim(owner)) is not None:
                self._work_on(shard, shards, owner, advance)
                shards.finish(shard.number, owner)
        self._fill(self._missing(0, None), lambda: self._advance(advance))  # came or changed meanwhile
        return ReindexReport(
            model=self._encoder.manifest.model,
            model_id=self._target.model_id,
            filled=self._filled,
            missing=self._catalog.count() - self._target.count(),
            failures=tuple(self._failures.values()),
            seconds=time.monotonic() - started,
        )

    def _work_on(self, shard: Shard, shards: Shards, owner: str, advance: Advance) -> None:
        def after_batch() -> None:
            shards.renew(shard.number, owner)
            self._advance(advance)

        self._fill(self._missing(shard.first_id - 1, shard.last_id), after_batch)

    def _advance(self, advance: Advance) -> None:
        advance(self._target.count(), self._catalog.count())

    def _missing(self, after_id: int, up_to_id: int | None) -> Iterator[FileState]:
        """But for those that have failed already."""
        while page := self._target.missing(_PAGE, after_id, up_to_id):
            yield from (file for file in page if file.id not in self._failures)
            after_id = page[-1].id

    def _fill(self, files: Iterator[FileState], after_batch: Callable[[], None]) -> None:
        batch: list[tuple[FileState, Pixels]] = []
        ahead = self._batch_size + self._threads  # a whole batch is decoded while the one before it is encoded
        with closing(look_ahead(self._pixels, files, threads=self._threads, ahead=ahead)) as decoded:
            for file, future in decoded:
                self._take(file, future, batch)
                if len(batch) >= self._batch_size:
                    self._commit(batch)
                    after_batch()
        if batch:
            self._commit(batch)
            after_batch()

    def _pixels(self, file: FileState) -> Pixels:
        """Runs in a thread of the pool. Raises UnreadableImage."""
        data = self._originals.read(file.path)
        if hashlib.sha256(data).hexdigest() != file.content_hash:
            raise UnreadableImage("it has changed since it was indexed; `sightline index` takes it in")
        return self._target.manifest.decode(data, self._limits).pixels

    def _take(self, file: FileState, future: Future[Pixels], batch: list[tuple[FileState, Pixels]]) -> None:
        try:
            batch.append((file, future.result()))
        except UnreadableImage as error:
            self._failures[file.id] = Failure(file.path, str(error))

    def _commit(self, batch: list[tuple[FileState, Pixels]]) -> None:
        vectors = self._encoder.encode_images(np.stack([pixels for _, pixels in batch])).astype(np.float16)
        self._filled += self._target.fill([file for file, _ in batch], vectors)
        batch.clear()
