"""Brings a collection up to date with a source: walk, skip what is known, decode, encode, commit, sweep.

The walk and the catalog's rows are both in the byte order of paths, so one pass over the two tells what is new, known
and gone, and memory does not grow with either. Four stations work at once, each a bounded number of pictures ahead of
the next: threads read, hash and decode; the calling thread takes what they have in the order of the walk and fills
batches; one thread encodes; one thread writes, a transaction a batch. Interrupted at any moment, the next run goes on.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, FileState, NewImage
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import UnreadableImage
from indexer.images import DecodedImage, ImageInfo, Limits
from indexer.line import Line
from indexer.listing import joined
from indexer.lookahead import look_ahead
from indexer.originals import Originals
from indexer.pace import Waits
from indexer.reports import Failure, Progress, SyncReport
from indexer.ring import Ring
from indexer.sources import ImageSource, SourceFile, SourceProblem, file_too_large
from indexer.sources.address import above
from indexer.sources.source import UNKNOWN_SIZE, is_same
from indexer.tags import tagging

__all__ = ["Failure", "Progress", "SyncReport", "sync"]

_PENDING = 1000  # rows that need no encoding (moved, touched, copies) committed at once
_REPORT_SECONDS = 0.1  # between two calls of the progress callback: more than a person can see


def sync(
    collection: Collection,
    encoder: Encoder,
    source: ImageSource,
    *,
    limits: Limits | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> SyncReport:
    """Make the collection's images under `source.root` those that the source has.

    What cannot be read or decoded is reported and costs nothing else; an image indexed before stays as it was.
    Raises ModelMismatch, CollectionLocked, and what the catalog and the encoder raise.
    """
    collection.check_model(encoder.manifest)
    with collection.writing():
        run = _Run(collection.catalog, encoder, source, limits or Limits(), batch_size or encoder.batch_size)
        report = run.run(threads or max(2, os.cpu_count() or 1), _Reporter(source, progress))
        collection.fold(encoder)
        tagging.refresh(collection, encoder)
    return report


class _Reporter:
    """Calls back now and then; counts the candidates meanwhile, in a thread of its own."""

    def __init__(self, source: ImageSource, callback: Callable[[Progress], None] | None) -> None:
        self._callback = callback
        self._done = 0
        self._total: int | None = None
        self._next = 0.0
        if callback:
            threading.Thread(target=self._count, args=(source,), daemon=True).start()

    def _count(self, source: ImageSource) -> None:
        self._total = source.count()

    def step(self) -> None:
        self._done += 1
        if self._callback and time.monotonic() >= self._next:
            self._callback(Progress(self._done, self._total))
            self._next = time.monotonic() + _REPORT_SECONDS

    def finish(self) -> None:
        if self._callback:
            self._callback(Progress(self._done, self._done))


@dataclass(frozen=True, slots=True)
class _Work:
    """A file that has to be looked into, and the row it has if it is known."""

    file: SourceFile
    known: FileState | None


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file holds. Not decoded when the catalog has an image of the same content."""

    content_hash: str
    size: int
    """Bytes."""
    decoded: DecodedImage | None


@dataclass(slots=True)
class _Batch:
    """What goes into the catalog together. The pictures of `new` are in the ring."""

    new: list[NewImage] = field(default_factory=list)
    copies: list[tuple[NewImage, NDArray[np.float16]]] = field(default_factory=list)
    moves: list[tuple[int, str, int, int]] = field(default_factory=list)
    touches: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def ready_rows(self) -> int:
        """Those that need no encoding."""
        return len(self.copies) + len(self.moves) + len(self.touches)


class _Run:
    """One sync. The calling thread does everything but what is said to run in another."""

    def __init__(
        self, catalog: Catalog, encoder: Encoder, source: ImageSource, limits: Limits, batch_size: int
    ) -> None:
        self._catalog, self._encoder, self._source = catalog, encoder, source
        self._limits, self._batch_size = limits, batch_size
        self._originals = Originals(limits)
        self._encoding, self._writing = Line("encode", ahead=1), Line("write", ahead=2)
        self._ring = Ring(catalog.manifest.preprocessing, batch_size=batch_size, slots=2)  # one filled, one encoded
        self._batch = _Batch()
        self._encoded = 0
        self._waits = Waits()
        self._listed = self._added = self._unchanged = self._changed = 0
        self._failures: list[Failure] = []
        self._problems: set[str] = set()  # paths that could not be listed
        self._gone: list[int] = []  # ids whose paths were not listed
        self._moved: set[int] = set()

    def run(self, threads: int, reporter: _Reporter) -> SyncReport:
        started = time.monotonic()
        ahead = 2 * threads  # what the batches hold is ahead, too
        with self._writing, self._encoding:
            with closing(look_ahead(self._examine, self._to_examine(reporter), threads=threads, ahead=ahead)) as works:
                for work, content in works:
                    self._settle(work, content)
                    reporter.step()
            self._hand_over()
            self._catch_up()
        removed = self._sweep()
        reporter.finish()
        seconds = time.monotonic() - started
        return SyncReport(
            added=self._added,
            unchanged=self._unchanged,
            changed=self._changed,
            moved=len(self._moved),
            removed=removed,
            failed=len(self._failures),
            failures=tuple(self._failures),
            seconds=seconds,
            pace=self._waits.pace(self._encoded, seconds, encoder_idle=self._encoding.idle) if self._encoded else None,
        )

    def _to_examine(self, reporter: _Reporter) -> Iterator[_Work]:
        """What is new or has another size or time; all else is dealt with here, unread."""
        rows = (row for row in self._catalog.files_under(self._source.root) if self._source.owns(row.path))
        for file, row in joined(self._listing(), rows):
            if file is None:
                if row is not None and not self._is_protected(row.path):
                    self._gone.append(row.id)
                continue
            work = _Work(file, row)
            if row is not None and is_same(file, row.size, row.mtime_ns):
                self._unchanged += 1
            elif file.size > self._limits.max_bytes:
                self._fail(work, file_too_large(file.size, self._limits.max_bytes))
            else:
                yield work
                continue
            reporter.step()

    def _listing(self) -> Iterator[SourceFile]:
        for found in self._source.walk():
            if isinstance(found, SourceProblem):
                self._problems.add(found.path)
                self._failures.append(Failure(found.path, found.reason))
            else:
                self._listed += 1
                yield found

    def _is_protected(self, path: str) -> bool:
        """Whether the path, or what it lies in, could not be listed: then it is not known to be gone.

        A problem is met before the rows below it are, since the walk is in their order.
        """
        if not self._problems:
            return False
        return any(place in self._problems for place in above(path))

    def _examine(self, work: _Work, *, look_up: bool = True) -> _Content:
        """Runs in a thread of the pool. Raises UnreadableImage."""
        data = self._source.read(work.file.path)
        content_hash = hashlib.sha256(data).hexdigest()
        same_as_before = work.known is not None and work.known.content_hash == content_hash
        if same_as_before or (look_up and self._catalog.with_hash(content_hash)):
            return _Content(content_hash, len(data), None)
        return _Content(content_hash, len(data), self._catalog.manifest.decode(data, self._limits))

    def _settle(self, work: _Work, examined: Future[_Content]) -> None:
        try:
            with self._waits.pictures:
                content = examined.result()
            if work.file.size == UNKNOWN_SIZE:
                work = replace(work, file=replace(work.file, size=content.size))
            if work.known is not None and work.known.content_hash == content.content_hash:
                self._batch.touches.append((work.known.id, work.file.size, work.file.mtime_ns))
                self._unchanged += 1
            elif content.decoded is not None:
                self._add(work, content.content_hash, content.decoded)
            else:
                self._reuse(work, content.content_hash)
        except UnreadableImage as error:
            self._fail(work, error)
        if len(self._batch.new) >= self._batch_size or self._batch.ready_rows >= _PENDING:
            self._hand_over()

    def _add(self, work: _Work, content_hash: str, decoded: DecodedImage) -> None:
        self._batch.new.append(NewImage.of(work.file, content_hash, decoded.info))
        self._ring.put(decoded.pixels)
        self._count(work)

    def _reuse(self, work: _Work, content_hash: str) -> None:
        """The catalog has, or a moment ago had, an image of this content: it has moved here, or this is a copy.

        What is on its way to the catalog may change the answer, so it is waited for.
        """
        self._catch_up()
        same = self._catalog.with_hash(content_hash)
        if work.known is None:
            for state in same:
                if state.id not in self._moved and self._originals.is_gone(state.path):
                    self._moved.add(state.id)
                    self._batch.moves.append((state.id, work.file.path, work.file.size, work.file.mtime_ns))
                    return
        if not same:  # the one that had it has been given another since
            content = self._examine(work, look_up=False)
            if content.decoded is not None:
                self._add(work, content.content_hash, content.decoded)
            return
        twin = self._catalog.get(same[0].id)
        info = ImageInfo(twin.width, twin.height, twin.format, twin.taken_at, twin.camera)
        self._batch.copies.append((NewImage.of(work.file, content_hash, info), self._catalog.vector(twin.id)))
        self._count(work)

    def _count(self, work: _Work) -> None:
        if work.known is None:
            self._added += 1
        else:
            self._changed += 1

    def _fail(self, work: _Work, error: UnreadableImage) -> None:
        """An image that was indexed before keeps its row, unless its file is gone by now."""
        self._failures.append(Failure(work.file.path, str(error)))
        if work.known is not None and self._originals.is_gone(work.file.path):
            self._gone.append(work.known.id)

    def _hand_over(self) -> None:
        """The batch goes to the encoder, and from there to the catalog."""
        batch, self._batch = self._batch, _Batch()
        pixels = self._ring.take()
        self._encoded += len(batch.new)
        with self._waits.encoder:
            self._encoding.put(lambda: self._encode(batch, pixels))

    def _catch_up(self) -> None:
        """Until the catalog has all that was handed over."""
        with self._waits.encoder:
            self._encoding.drain()
        self._writing.drain()

    def _encode(self, batch: _Batch, pixels: NDArray[np.uint8]) -> None:
        """Runs in the encoder's thread."""
        vectors = [vector[None] for _, vector in batch.copies]
        if batch.new:
            vectors.insert(0, self._encoder.encode_images(pixels).astype(np.float16))
        with self._waits.catalog:
            self._writing.put(lambda: self._write(batch, vectors))

    def _write(self, batch: _Batch, vectors: list[NDArray[np.float16]]) -> None:
        """Runs in the writer's thread.

        Moves first: another file may have taken the place of one that moved, and wants an id of its own.
        """
        self._catalog.move(batch.moves)
        self._catalog.touch(batch.touches)
        images = batch.new + [image for image, _ in batch.copies]
        if images:
            self._catalog.put(images, np.concatenate(vectors))

    def _sweep(self) -> int:
        """Takes out what is gone. A source that is empty all of a sudden is rather a disk that is not there."""
        gone = [id_ for id_ in self._gone if id_ not in self._moved]
        if gone and not self._listed:
            reason = (
                f"no image is there now, but {len(gone):,} were indexed from it: nothing was removed; connect the "
                "disk if it is missing, or index the folder above if they are really gone"
            )
            self._failures.append(Failure(self._source.root, reason))
            return 0
        for start in range(0, len(gone), _PENDING):
            self._catalog.remove(gone[start : start + _PENDING])
        return len(gone)
