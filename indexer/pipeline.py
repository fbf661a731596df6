"""Brings a collection up to date with a source: walk, skip what is known, decode, encode, commit, sweep.

The walk and the catalog's rows are both in the byte order of paths, so one pass over the two tells what is new, known
and gone, and memory does not grow with either. Threads read, hash and decode a bounded number of files ahead; the
calling thread alone encodes and writes, a transaction a batch. Interrupted at any moment, the next run goes on.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, FileState, NewImage
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import UnreadableImage
from indexer.images import DecodedImage, ImageInfo, Limits
from indexer.lookahead import look_ahead
from indexer.sources import ImageSource, SourceFile, SourceProblem, file_too_large

BATCH_SIZE = 32
"""Images encoded at once, unless told otherwise: more gains a CPU nothing."""

_PENDING = 1000  # rows that need no encoding (moved, touched, copies) committed at once
_REPORT_SECONDS = 0.1  # between two calls of the progress callback: more than a person can see


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    """Candidates dealt with, whatever came of them."""
    total: int | None
    """How many there are, about; None until they have been counted."""


@dataclass(frozen=True, slots=True)
class Failure:
    path: str
    reason: str
    """One line."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of every candidate; `removed` counts images whose files are gone."""

    added: int
    unchanged: int
    changed: int
    moved: int
    removed: int
    failed: int
    failures: tuple[Failure, ...]
    seconds: float


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
        run = _Run(collection.catalog, encoder, source, limits or Limits(), batch_size or BATCH_SIZE)
        report = run.run(threads or max(2, os.cpu_count() or 1), _Reporter(source, progress))
        collection.fold(encoder)
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
    decoded: DecodedImage | None


class _Run:
    """One sync. Everything but `_examine` happens in the calling thread."""

    def __init__(
        self, catalog: Catalog, encoder: Encoder, source: ImageSource, limits: Limits, batch_size: int
    ) -> None:
        self._catalog, self._encoder, self._source = catalog, encoder, source
        self._limits, self._batch_size = limits, batch_size
        self._listed = self._added = self._unchanged = self._changed = 0
        self._failures: list[Failure] = []
        self._problems: set[str] = set()  # paths that could not be listed
        self._gone: list[int] = []  # ids whose paths were not listed
        self._moved: set[int] = set()
        self._batch: list[tuple[NewImage, NDArray[np.uint8]]] = []  # to be encoded
        self._copies: list[tuple[NewImage, NDArray[np.float16]]] = []
        self._moves: list[tuple[int, str, int, int]] = []
        self._touches: list[tuple[int, int, int]] = []

    def run(self, threads: int, reporter: _Reporter) -> SyncReport:
        started = time.monotonic()
        ahead = self._batch_size + threads  # a whole batch is decoded while the one before it is encoded
        with closing(look_ahead(self._examine, self._to_examine(reporter), threads=threads, ahead=ahead)) as examined:
            for work, content in examined:
                self._settle(work, content)
                reporter.step()
        self._commit()
        removed = self._sweep()
        reporter.finish()
        return SyncReport(
            added=self._added,
            unchanged=self._unchanged,
            changed=self._changed,
            moved=len(self._moved),
            removed=removed,
            failed=len(self._failures),
            failures=tuple(self._failures),
            seconds=time.monotonic() - started,
        )

    def _to_examine(self, reporter: _Reporter) -> Iterator[_Work]:
        """What is new or has another size or time; all else is dealt with here, unread."""
        rows = self._catalog.files_under(self._source.root)
        for file, row in _joined(self._listing(), rows):
            if file is None:
                if row is not None and not self._is_protected(row.path):
                    self._gone.append(row.id)
                continue
            work = _Work(file, row)
            if row is not None and (row.size, row.mtime_ns) == (file.size, file.mtime_ns):
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
        """Whether the path, or a folder it lies in, could not be listed: then it is not known to be gone.

        A problem is met before the rows below it are, since the walk is in their order.
        """
        if not self._problems:
            return False
        return any(str(above) in self._problems for above in (Path(path), *Path(path).parents))

    def _examine(self, work: _Work, *, look_up: bool = True) -> _Content:
        """Runs in a thread of the pool. Raises UnreadableImage."""
        data = self._source.read(work.file.path)
        content_hash = hashlib.sha256(data).hexdigest()
        same_as_before = work.known is not None and work.known.content_hash == content_hash
        if same_as_before or (look_up and self._catalog.with_hash(content_hash)):
            return _Content(content_hash, None)
        return _Content(content_hash, self._catalog.manifest.decode(data, self._limits))

    def _settle(self, work: _Work, examined: Future[_Content]) -> None:
        try:
            content = examined.result()
            if work.known is not None and work.known.content_hash == content.content_hash:
                self._touches.append((work.known.id, work.file.size, work.file.mtime_ns))
                self._unchanged += 1
            elif content.decoded is not None:
                self._add(work, content.content_hash, content.decoded)
            else:
                self._reuse(work, content.content_hash)
        except UnreadableImage as error:
            self._fail(work, error)
        pending = len(self._touches) + len(self._moves) + len(self._copies)
        if len(self._batch) >= self._batch_size or pending >= _PENDING:
            self._commit()

    def _add(self, work: _Work, content_hash: str, decoded: DecodedImage) -> None:
        self._batch.append((_new_image(work.file, content_hash, decoded.info), decoded.pixels))
        self._count(work)

    def _reuse(self, work: _Work, content_hash: str) -> None:
        """The catalog has, or a moment ago had, an image of this content: it has moved here, or this is a copy."""
        same = self._catalog.with_hash(content_hash)
        if work.known is None:
            for state in same:
                if state.id not in self._moved and _is_gone(state.path):
                    self._moved.add(state.id)
                    self._moves.append((state.id, work.file.path, work.file.size, work.file.mtime_ns))
                    return
        if not same:  # the one that had it has been given another since
            content = self._examine(work, look_up=False)
            if content.decoded is not None:
                self._add(work, content.content_hash, content.decoded)
            return
        twin = self._catalog.get(same[0].id)
        info = ImageInfo(twin.width, twin.height, twin.format, twin.taken_at, twin.camera)
        self._copies.append((_new_image(work.file, content_hash, info), self._catalog.vector(twin.id)))
        self._count(work)

    def _count(self, work: _Work) -> None:
        if work.known is None:
            self._added += 1
        else:
            self._changed += 1

    def _fail(self, work: _Work, error: UnreadableImage) -> None:
        """An image that was indexed before keeps its row, unless its file is gone by now."""
        self._failures.append(Failure(work.file.path, str(error)))
        if work.known is not None and _is_gone(work.file.path):
            self._gone.append(work.known.id)

    def _commit(self) -> None:
        """Moves first: another file may have taken the place of one that moved, and wants an id of its own."""
        self._catalog.move(self._moves)
        self._catalog.touch(self._touches)
        images = [image for image, _ in self._batch] + [image for image, _ in self._copies]
        if images:
            vectors = [vector[None] for _, vector in self._copies]
            if self._batch:
                pixels = np.stack([pixels for _, pixels in self._batch])
                vectors.insert(0, self._encoder.encode_images(pixels).astype(np.float16))
            self._catalog.put(images, np.concatenate(vectors))
        for pending in (self._moves, self._touches, self._batch, self._copies):
            pending.clear()

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


def _joined(
    files: Iterator[SourceFile], rows: Iterator[FileState]
) -> Iterator[tuple[SourceFile | None, FileState | None]]:
    """Merges two listings in ascending order of `os.fsencode(path)`: pairs of one path, None where a side lacks it."""
    row = next(rows, None)
    last = b""
    for file in files:
        path = os.fsencode(file.path)
        if path <= last:  # were it let through, rows would be taken as gone whose files come later
            raise ValueError(f"the source lists {file.path!r} out of order")
        last = path
        while row is not None and os.fsencode(row.path) < path:
            yield None, row
            row = next(rows, None)
        if row is not None and row.path == file.path:
            yield file, row
            row = next(rows, None)
        else:
            yield file, None
    while row is not None:
        yield None, row
        row = next(rows, None)


def _new_image(file: SourceFile, content_hash: str, info: ImageInfo) -> NewImage:
    return NewImage(
        path=file.path,
        size=file.size,
        mtime_ns=file.mtime_ns,
        content_hash=content_hash,
        width=info.width,
        height=info.height,
        format=info.format,
        taken_at=info.taken_at,
        camera=info.camera,
    )


def _is_gone(path: str) -> bool:
    """Known to be: a path that merely cannot be looked at is not."""
    try:
        Path(path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
