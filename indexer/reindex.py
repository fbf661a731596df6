"""Embeddings by another model, beside those of the one that serves.

Only what is missing is computed, so it goes on where it stopped. Workers, of one process or of several, share the
images out by ranges of ids; what came or changed while they worked is done at the end. Within a worker four stations
work at once, as in `indexer/pipeline.py`: threads read and decode; the calling thread fills batches; one thread
encodes; one writes, a transaction a batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, FileState
from indexer.encoder import Encoder
from indexer.errors import SightlineError, UnreadableImage
from indexer.images import Pixels
from indexer.jobs.leases import BEAT_SECONDS, new_owner
from indexer.jobs.shards import Shard, Shards
from indexer.line import Line
from indexer.lookahead import look_ahead
from indexer.pace import Pace, Waits
from indexer.reports import Failure
from indexer.ring import Ring
from indexer.stored_pictures import Files, Origin, Picture, StoredPictures

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
    thumbnails: int
    """Of those, the ones that were decoded from a thumbnail."""
    small_thumbnails: int
    """Of those again, the ones smaller than is safe: the files cannot be read, or are not what was indexed."""
    missing: int
    """Images that still have no embedding: those that failed, and what came at the last moment."""
    failures: tuple[Failure, ...]
    seconds: float
    pace: Pace | None
    """None where nothing had to be embedded."""


def reindex(
    catalog: Catalog,
    encoder: Encoder,
    shards: Shards,
    advance: Advance,
    *,
    pictures: StoredPictures | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    shard_images: int = SHARD_IMAGES,
) -> ReindexReport:
    """Give every image of the catalog an embedding by that encoder, as far as its picture can be had.

    `shards` are those of the job that this is. Pictures come from their files unless told otherwise. Raises what
    `advance`, the catalog and the encoder raise; what was encoded by then is still committed. Without a `batch_size`
    it is the encoder's own.
    """
    pictures = pictures or Files()
    manifest = replace(encoder.manifest, decode_policy=pictures.policy(catalog.manifest.decode_policy))
    target = catalog.of_model(catalog.models.add(manifest))
    worker = _Worker(catalog, target, encoder, shards, advance, batch_size or encoder.batch_size)
    return worker.run(pictures, threads or max(2, os.cpu_count() or 1), shard_images)


@dataclass(slots=True)
class _Batch:
    """What is committed together; the pictures are in the ring."""

    files: list[FileState]
    ends: Shard | None = None
    """With it all of that shard is done."""


class _Worker:
    """One reindex. The calling thread does everything but what is said to run in another."""

    def __init__(
        self,
        catalog: Catalog,
        target: Catalog,
        encoder: Encoder,
        shards: Shards,
        advance: Advance,
        batch_size: int,
    ) -> None:
        self._catalog, self._target, self._encoder = catalog, target, encoder
        self._shards, self._owner, self._advance = shards, new_owner(), advance
        self._batch_size, self._files = batch_size, list[FileState]()
        # One batch is filled, one waits, one is encoded: where the processor is busy the encoder must not wait for this
        # thread to be given its turn. With seven processes to a core: 0.86 of a stub's rate in place of 0.74.
        self._encoding, self._writing = Line("encode", ahead=2), Line("write", ahead=2)
        self._ring = Ring(target.manifest.preprocessing, batch_size=batch_size, slots=3)
        self._filled = 0
        self._from: dict[Origin, int] = {"file": 0, "thumbnail": 0, "small thumbnail": 0}
        self._failures: dict[int, Failure] = {}
        self._waits = Waits()
        self._others = self._total = 0
        self._count_at = 0.0

    def run(self, pictures: StoredPictures, threads: int, shard_images: int) -> ReindexReport:
        started = time.monotonic()
        newest = self._catalog.latest(1)
        self._shards.cover(newest[0].id if newest else 0, shard_images)
        self._step()
        try:
            with self._writing, self._encoding:
                for shard in self._claimed():
                    self._embed(self._missing(shard.first_id - 1, shard.last_id), pictures, threads)
                    self._hand_over(ends=shard)
                self._embed(self._missing(0, None), pictures, threads)  # came or changed meanwhile
                self._hand_over()
                self._catch_up()
        except BaseException:
            with suppress(SightlineError):  # a catalog that cannot be written: the lease runs out by itself
                self._shards.release(self._owner)
            raise
        self._count_at = 0.0
        self._step()
        return self._report(time.monotonic() - started)

    def _report(self, seconds: float) -> ReindexReport:
        idle = self._encoding.idle
        return ReindexReport(
            model=self._encoder.manifest.model,
            model_id=self._target.model_id,
            filled=self._filled,
            thumbnails=self._from["thumbnail"] + self._from["small thumbnail"],
            small_thumbnails=self._from["small thumbnail"],
            missing=self._catalog.count() - self._target.count(),
            failures=tuple(self._failures.values()),
            seconds=seconds,
            pace=self._waits.pace(self._filled, seconds, encoder_idle=idle) if self._filled else None,
        )

    def _claimed(self) -> Iterator[Shard]:
        """Shards to work on, until all are done: others may be at the last ones, or die and leave them to us."""
        while True:
            shard = self._shards.claim(self._owner)
            if shard is not None:
                yield shard
                continue
            self._catch_up()
            if not self._shards.left():
                return
            self._count_at = 0.0
            self._step()
            time.sleep(_WAIT_SECONDS)

    def _missing(self, after_id: int, up_to_id: int | None) -> Iterator[FileState]:
        """But for those that have failed already."""
        while page := self._target.missing(_PAGE, after_id, up_to_id):
            yield from (file for file in page if file.id not in self._failures)
            after_id = page[-1].id

    def _embed(self, files: Iterator[FileState], pictures: StoredPictures, threads: int) -> None:
        """The last batch, be it full or not, is left to be handed over."""

        def get(file: FileState) -> Picture:
            return pictures.get(file, self._target.manifest)

        with closing(look_ahead(get, files, threads=threads, ahead=2 * threads)) as found:
            for file, picture in found:
                if len(self._files) == self._batch_size:
                    self._hand_over()
                self._take(file, picture)

    def _take(self, file: FileState, future: Future[Picture]) -> None:
        try:
            with self._waits.pictures:
                picture = future.result()
        except UnreadableImage as error:
            self._failures[file.id] = Failure(file.path, str(error))
            self._step()
            return
        self._ring.put(picture.pixels)
        self._files.append(file)
        self._from[picture.origin] += 1

    def _hand_over(self, ends: Shard | None = None) -> None:
        """The batch goes to the encoder, and from there to the catalog."""
        batch, self._files = _Batch(self._files, ends), []
        pixels = self._ring.take()
        with self._waits.encoder:
            self._encoding.put(lambda: self._encode(batch, pixels))
        self._step()

    def _catch_up(self) -> None:
        """Until the catalog has all that was handed over."""
        with self._waits.encoder:
            self._encoding.drain()
        self._writing.drain()

    def _encode(self, batch: _Batch, pixels: Pixels) -> None:
        """Runs in the encoder's thread."""
        vectors = self._encoder.encode_images(pixels).astype(np.float16) if batch.files else None
        with self._waits.catalog:
            self._writing.put(lambda: self._write(batch, vectors))

    def _write(self, batch: _Batch, vectors: NDArray[np.float16] | None) -> None:
        """Runs in the writer's thread."""
        if vectors is not None:
            self._filled += self._target.fill(batch.files, vectors)
        if batch.ends is not None:
            self._shards.finish(batch.ends.number, self._owner)

    def _step(self) -> None:
        """After every batch, and every picture that failed: says how far it is. Raises what `advance` raises.

        Now and then only the lease is kept, and counted what others have done: to count a million takes 20 ms.
        """
        if time.monotonic() >= self._count_at:
            self._shards.renew(self._owner)
            self._others, self._total = self._target.count() - self._filled, self._catalog.count()
            self._count_at = time.monotonic() + BEAT_SECONDS
        self._advance(min(self._others + self._filled, self._total), self._total)
