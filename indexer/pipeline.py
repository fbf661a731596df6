"""Brings a collection up to date with a source: walk, skip what is known, decode, encode, commit, sweep.

The walk and the catalog's rows are both in the byte order of paths, so one pass over the two tells what is new, known
and gone, and memory does not grow with either. Four stations work at once, each a bounded number of pictures ahead of
the next: threads read, hash and decode; the calling thread takes what they have in the order of the walk and fills
batches; one thread encodes; one thread writes, a transaction a batch. Interrupted at any moment, the next run goes on.
"""

from __future__ import annotations

import hashlib
import os
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
from indexer.failures import FailureNotes
from indexer.images import DecodedImage, ImageInfo, Limits, read_look
from indexer.line import Line
from indexer.listing import joined
from indexer.lookahead import look_ahead
from indexer.looks.look import Look
from indexer.originals import Originals
from indexer.pace import Waits
from indexer.reports import Failure, Progress, Reporter, SyncReport
from indexer.ring import Ring
from indexer.scope import EVERYTHING, Scope
from indexer.sidecars import MAX_BYTES, described
from indexer.sources import ImageSource, SourceFile, SourceProblem, file_too_large
from indexer.sources.address import above
from indexer.sources.source import UNKNOWN_SIZE, is_same
from indexer.sweeping import remove_left
from indexer.tags import tagging
from indexer.texts import Description

__all__ = ["Failure", "Progress", "SyncReport", "sync"]

_TO_BE_READ = "?"  # the mark of no side-cars: the next sync reads them again
_PENDING = 1000  # rows that need no encoding (moved, touched, copies) committed at once


def sync(
    collection: Collection,
    encoder: Encoder,
    source: ImageSource,
    *,
    limits: Limits | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    scope: Scope = EVERYTHING,
) -> SyncReport:
    """Make the collection's images under `source.root`, as far as the scope goes, those that the source has.

    What cannot be read or decoded is reported and costs nothing else; an image indexed before stays as it was.
    Raises ModelMismatch, CollectionLocked, and what the catalog, the encoder and `progress` raise.
    """
    collection.check_model(encoder.manifest)
    with collection.writing():
        run = _Run(collection.catalog, encoder, source, limits or Limits(), batch_size or encoder.batch_size, scope)
        report = run.run(threads or max(2, os.cpu_count() or 1), Reporter(source, progress, scope.parts is None))
        collection.fold(encoder)
        tagging.refresh(collection, encoder)
    return report


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
    said: Description
    problems: tuple[Failure, ...] = ()
    """Side-cars that cannot be understood."""
    look: Look | None = None
    """Of an image that was indexed before looks were kept."""


@dataclass(slots=True)
class _Batch:
    """What goes into the catalog together. The pictures of `new` are in the ring."""

    new: list[NewImage] = field(default_factory=list)
    said_of_new: list[Description] = field(default_factory=list)
    copies: list[tuple[NewImage, NDArray[np.float16]]] = field(default_factory=list)
    said_of_copies: list[Description] = field(default_factory=list)
    moves: list[tuple[int, str, int, int]] = field(default_factory=list)
    touches: list[tuple[int, int, int]] = field(default_factory=list)
    said: dict[int, Description] = field(default_factory=dict)
    """Of what has moved or was touched."""
    looks: dict[int, Look] = field(default_factory=dict)
    """Of what was touched."""

    @property
    def ready_rows(self) -> int:
        """Those that need no encoding."""
        return len(self.copies) + len(self.moves) + len(self.touches)


class _Run:
    """One sync. The calling thread does everything but what is said to run in another."""

    def __init__(
        self, catalog: Catalog, encoder: Encoder, source: ImageSource, limits: Limits, batch_size: int, scope: Scope
    ) -> None:
        self._catalog, self._encoder, self._source, self._scope = catalog, encoder, source, scope
        self._limits, self._batch_size = limits, batch_size
        self._originals = Originals(limits)
        self._encoding, self._writing = Line("encode", ahead=1), Line("write", ahead=2)
        self._ring = Ring(catalog.manifest.preprocessing, batch_size=batch_size, slots=2)  # one filled, one encoded
        self._batch = _Batch()
        self._encoded = 0
        self._waits = Waits()
        self._listed = self._added = self._unchanged = self._changed = 0
        self._failures: list[Failure] = []
        self._noted = FailureNotes(catalog.failures, source.root, source.kind)
        self._problems: set[str] = set()  # paths that could not be listed
        self._gone: dict[int, str] = {}  # id and path of what was not listed
        self._excluded: dict[int, str] = {}  # and of what the patterns leave out
        self._moved: set[int] = set()

    def run(self, threads: int, reporter: Reporter) -> SyncReport:
        started = time.monotonic()
        ahead = 2 * threads  # what the batches hold is ahead, too
        with self._writing, self._encoding:
            with closing(look_ahead(self._examine, self._to_examine(reporter), threads=threads, ahead=ahead)) as works:
                for work, content in works:
                    self._settle(work, content)
                    reporter.step()
            self._hand_over()
            self._catch_up()
        offline = self._offline()
        removed = 0 if offline else self._sweep()
        excluded = 0 if offline else remove_left(self._catalog, self._excluded)
        if not offline:
            self._noted.write(self._failures, whole=self._scope.parts is None)
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
            excluded=excluded,
            offline=offline,
        )

    def _to_examine(self, reporter: Reporter) -> Iterator[_Work]:
        """What is new or has another size or time; all else is dealt with here, unread."""
        for file, row in self._pairs():
            if file is None:
                if row is not None:
                    self._miss(row)
                continue
            work = _Work(file, row)
            if row is not None and _is_unchanged(row, file):
                self._unchanged += 1
                self._noted.unchanged(row.path)
            elif file.size > self._limits.max_bytes:
                self._fail(work, file_too_large(file.size, self._limits.max_bytes))
            else:
                yield work
                continue
            reporter.step()

    def _pairs(self) -> Iterator[tuple[SourceFile | None, FileState | None]]:
        """What is there beside what is known."""
        if self._scope.parts is None:
            rows = self._owned(self._catalog.files_under(self._source.root))
            yield from joined(self._listing(self._source.walk()), rows)
            return
        for part in self._scope.parts:
            self._noted.looked_at(part.path)
            yield from joined(self._listing(part.files), self._owned(self._catalog.files_at(part.path)))

    def _owned(self, rows: Iterator[FileState]) -> Iterator[FileState]:
        """Without those of other sources, which may lie in this one, as a tar lies in a folder."""
        return (row for row in rows if self._source.owns(row.path))

    def _miss(self, row: FileState) -> None:
        """A known file was not listed."""
        if self._scope.is_other(row.path) or self._is_protected(row.path):
            return
        left_out = self._scope.excludes is not None and self._scope.excludes(row.path)
        (self._excluded if left_out else self._gone)[row.id] = row.path

    def _listing(self, walk: Iterator[SourceFile | SourceProblem]) -> Iterator[SourceFile]:
        for found in walk:
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
        problems: list[Failure] = []
        said = self._said(work.file, data, problems)
        content_hash = hashlib.sha256(data).hexdigest()
        same_as_before = work.known is not None and work.known.content_hash == content_hash
        if same_as_before or (look_up and self._catalog.with_hash(content_hash)):
            unseen = same_as_before and work.known is not None and work.known.colours is None
            look = read_look(data, self._limits) if unseen else None
            return _Content(content_hash, len(data), None, said, tuple(problems), look)
        decoded = self._catalog.manifest.decode(data, self._limits, look=True)
        return _Content(content_hash, len(data), decoded, said, tuple(problems))

    def _said(self, file: SourceFile, data: bytes, problems: list[Failure]) -> Description:
        """By the picture itself, and by the files beside it."""
        sidecars, mark = {}, file.sidecar_mark
        for car in file.sidecars:
            try:
                if car.size <= MAX_BYTES:
                    sidecars[car.path] = self._source.read(car.path)
            except UnreadableImage as error:
                problems.append(Failure(car.path, str(error)))
                mark = _TO_BE_READ
        return described(data, sidecars, mark, lambda path, reason: problems.append(Failure(path, reason)))

    def _settle(self, work: _Work, examined: Future[_Content]) -> None:
        try:
            with self._waits.pictures:
                content = examined.result()
            self._failures += content.problems
            self._noted.beside(work.file.path, content.problems)
            if work.file.size == UNKNOWN_SIZE:
                work = replace(work, file=replace(work.file, size=content.size))
            if work.known is not None and work.known.content_hash == content.content_hash:
                self._batch.touches.append((work.known.id, work.file.size, work.file.mtime_ns))
                self._batch.said[work.known.id] = content.said
                if content.look is not None:
                    self._batch.looks[work.known.id] = content.look
                self._unchanged += 1
            elif content.decoded is not None:
                self._add(work, content, content.decoded)
            else:
                self._reuse(work, content)
        except UnreadableImage as error:
            self._fail(work, error)
        if len(self._batch.new) >= self._batch_size or self._batch.ready_rows >= _PENDING:
            self._hand_over()

    def _add(self, work: _Work, content: _Content, decoded: DecodedImage) -> None:
        self._batch.new.append(NewImage.of(work.file, content.content_hash, decoded.info, decoded.look))
        self._batch.said_of_new.append(content.said)
        self._ring.put(decoded.pixels)
        self._count(work)

    def _reuse(self, work: _Work, content: _Content) -> None:
        """The catalog has, or a moment ago had, an image of this content: it has moved here, or this is a copy.

        What is on its way to the catalog may change the answer, so it is waited for.
        """
        self._catch_up()
        same = self._catalog.with_hash(content.content_hash)
        if work.known is None:
            for state in same:
                if state.id not in self._moved and self._has_left(state.path):
                    self._moved.add(state.id)
                    self._batch.said[state.id] = content.said
                    self._batch.moves.append((state.id, work.file.path, work.file.size, work.file.mtime_ns))
                    return
        if not same:  # the one that had it has been given another since
            again = self._examine(work, look_up=False)
            if again.decoded is not None:
                self._add(work, again, again.decoded)
            return
        twin = self._catalog.get(same[0].id)
        info = ImageInfo(twin.width, twin.height, twin.format, twin.taken_at, twin.camera)
        copy = NewImage.of(work.file, content.content_hash, info, twin.look)
        self._batch.copies.append((copy, self._catalog.vector(twin.id)))
        self._batch.said_of_copies.append(content.said)
        self._count(work)

    def _has_left(self, path: str) -> bool:
        """What was on a disk that is away has not."""
        return not self._scope.is_away(path) and not self._is_protected(path) and self._originals.is_gone(path)

    def _count(self, work: _Work) -> None:
        if work.known is None:
            self._added += 1
        else:
            self._changed += 1

    def _fail(self, work: _Work, error: UnreadableImage) -> None:
        """An image that was indexed before keeps its row, unless its file is gone by now."""
        self._failures.append(Failure(work.file.path, str(error)))
        if work.known is not None and self._originals.is_gone(work.file.path):
            self._gone[work.known.id] = work.known.path

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
        self._catalog.describe(batch.said)
        self._catalog.look(batch.looks)
        images = batch.new + [image for image, _ in batch.copies]
        if images:
            self._catalog.put(images, np.concatenate(vectors), batch.said_of_new + batch.said_of_copies)

    def _offline(self) -> str:
        """Why the source is not there; empty if it is. One that is empty all of a sudden is a disk that is away."""
        for failure in self._failures:
            if failure.path == self._source.root:
                return failure.reason
        gone = self._gone.keys() - self._moved
        if not gone or self._listed or self._scope.accept_removals or self._has_any():
            return ""
        reason = (
            f"no image is there now, but {len(gone):,} were indexed from it: nothing was removed; connect the disk if "
            "it is missing, or say --accept-removals if they are really gone"
        )
        self._failures.append(Failure(self._source.root, reason))
        return reason

    def _has_any(self) -> bool:
        """Whether there is an image in what was not looked at."""
        return self._scope.parts is not None and any(isinstance(found, SourceFile) for found in self._source.walk())

    def _sweep(self) -> int:
        """Takes out what is gone, or leaves that to others; how many."""
        gone = {id_: path for id_, path in self._gone.items() if id_ not in self._moved}
        if self._scope.postponed is not None:
            self._scope.postponed.update(gone)
            return len(gone)
        return remove_left(self._catalog, gone)


def _is_unchanged(row: FileState, file: SourceFile) -> bool:
    if row.sidecars != file.sidecar_mark or row.colours is None:
        return False
    return is_same(file, row.size, row.mtime_ns)
