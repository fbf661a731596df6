"""Embeddings made elsewhere become images of a collection: checked by encoding some again, committed in batches."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexer.agreement import LEAST, SAMPLE, Agreement, compare
from indexer.catalog import Catalog, NewImage
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import EmbeddingsDisagree, InvalidEmbeddings, UnreadableImage
from indexer.images import Limits, read_info
from indexer.lookahead import look_ahead
from indexer.moving.clip_retrieval import ClipRetrievalEmbeddings
from indexer.moving.embedded import Embedded, Embeddings, Seen
from indexer.moving.npy import NpyEmbeddings
from indexer.moving.parquet import ParquetEmbeddings
from indexer.moving.rclip import RclipEmbeddings
from indexer.pipeline import Failure
from indexer.sources import FolderSource, SourceFile, is_unchanged

ImportFormat = Literal["clip-retrieval", "rclip", "npy", "parquet"]
FORMATS: Final = get_args(ImportFormat)

_READERS: Final[dict[str, Callable[[Path], Embeddings]]] = {
    "clip-retrieval": ClipRetrievalEmbeddings,
    "rclip": RclipEmbeddings,
    "npy": NpyEmbeddings,
    "parquet": ParquetEmbeddings,
}
_CANDIDATES = 20 * SAMPLE  # looked at to find enough pictures that are there
_OTHER_WEIGHTS = 0.5  # below, the message guesses at other weights; above, at the same ones used in another way


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every picture."""

    added: int
    changed: int
    """Known, with another file content before."""
    unchanged: int
    """Known with the same size and time: left as they were."""
    failed: int
    failures: tuple[Failure, ...]
    checked: Agreement
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    path: str
    vector: NDArray[np.floating[Any]]
    seen: Seen


def open_embeddings(path: Path, format: ImportFormat) -> Embeddings:
    """Raises InvalidEmbeddings, and BrokenInstallation where pyarrow is needed and not there."""
    if not path.exists():
        raise InvalidEmbeddings(str(path), "there is no such file or folder")
    return _READERS[format](path)


def import_embeddings(
    source: Embeddings,
    encoder: Encoder,
    library: Path,
    *,
    images: Path | None = None,
    limits: Limits | None = None,
    threads: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> ImportReport:
    """Put pictures and embeddings into the collection in `library`, which is made if there is none.

    The pictures have to be there: their size, hash and header are read from the files, relative paths below `images`.
    What is missing, cannot be read, or has changed since it was embedded is reported and left out. Interrupted, it goes
    on when it is run again. Raises InvalidEmbeddings, EmbeddingsDisagree if the model did not make them, and what
    `Collection.open_or_create` raises; nothing has been made then.
    """
    started = time.monotonic()
    limits = limits or Limits()
    dimension = encoder.manifest.dimension
    if len(source) and source.dimension != dimension:
        reason = f"its embeddings have {source.dimension} numbers, those of {encoder.manifest.model!r} {dimension}"
        raise InvalidEmbeddings(source.path, f"{reason}; name the model that made them")
    checked = _checked(source, encoder, images, limits)
    with Collection.open_or_create(library, encoder.manifest) as collection, collection.writing():
        run = _Import(collection.catalog, source, images, limits)
        run.run(threads or max(2, os.cpu_count() or 1), progress)
        collection.fold(encoder)
    failures = tuple(run.failures)
    return ImportReport(
        run.added, run.changed, run.unchanged, len(failures), failures, checked, time.monotonic() - started
    )


def _checked(source: Embeddings, encoder: Encoder, images: Path | None, limits: Limits) -> Agreement:
    """Encode a sample that is spread over the source again. Raises EmbeddingsDisagree, and InvalidEmbeddings if none of
    the pictures is there."""
    rows = [row for row in _spread(source, images) if _seems_as_it_was(row) and _length(row.vector) > 0]
    chosen = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
    found = compare(encoder, [row.path for row in chosen], [row.vector for row in chosen], limits)
    if found is None:
        first = next((row.path for row in _rows(source, images)), None)
        if first is None:
            raise InvalidEmbeddings(source.path, "it holds no pictures")
        none = f"none of its {len(source):,} pictures is there as it was, such as {first!r}"
        raise InvalidEmbeddings(source.path, f"{none}; --images names their folder")
    if not found.reached:
        reason = (
            "name the weights that made them, or index the pictures with `sightline index`"
            if found.median < _OTHER_WEIGHTS
            else "the weights may be right and QuickGELU, the preprocessing or the precision different: "
            "index the pictures with `sightline index`"
        )
        raise EmbeddingsDisagree(source.path, encoder.manifest.model, median=found.median, least=LEAST, reason=reason)
    return found


def _spread(source: Embeddings, images: Path | None) -> Iterator[_Row]:
    step = max(1, len(source) // _CANDIDATES)
    for place, row in enumerate(_rows(source, images)):
        if place % step == 0:
            yield row


def _rows(source: Embeddings, images: Path | None) -> Iterator[_Row]:
    for batch in source.batches():
        yield from _rows_of(batch, source, images)


def _rows_of(batch: Embedded, source: Embeddings, images: Path | None) -> Iterator[_Row]:
    seen = batch.seen or [Seen()] * len(batch.paths)
    for path, vector, known in zip(batch.paths, batch.vectors, seen, strict=True):
        yield _Row(_absolute(path, source, images), vector, known)


def _absolute(path: str, source: Embeddings, images: Path | None) -> str:
    """As `FolderSource` would list it: links are kept."""
    if images is None and not os.path.isabs(path):  # noqa: PTH117
        raise InvalidEmbeddings(source.path, f"its paths are relative, such as {path!r}; --images names their folder")
    return os.path.abspath(os.path.join(images or "", path))  # noqa: PTH100, PTH118


def _length(vector: NDArray[Any]) -> float:
    """0 for what is no vector."""
    length = float(np.linalg.norm(vector.astype(np.float32)))
    return length if np.isfinite(length) else 0.0


class _Import:
    """One run over a source."""

    def __init__(self, catalog: Catalog, source: Embeddings, images: Path | None, limits: Limits) -> None:
        self._catalog, self._source, self._images, self._limits = catalog, source, images, limits
        self._files = FolderSource(os.sep, max_bytes=limits.max_bytes)
        self.added = self.changed = self.unchanged = 0
        self.failures: list[Failure] = []

    def run(self, threads: int, progress: Callable[[int, int | None], None] | None) -> None:
        done = 0
        for batch in self._source.batches():
            self._take(list(_rows_of(batch, self._source, self._images)), threads)
            done += len(batch.paths)
            if progress:
                progress(done, len(self._source))

    def _take(self, rows: list[_Row], threads: int) -> None:
        """One batch, one transaction."""
        known = self._catalog.states_of([row.path for row in rows])
        wanted = []
        for row in rows:
            state = known.get(row.path)
            if state is not None and is_unchanged(row.path, state.size, state.mtime_ns):
                self.unchanged += 1
            else:
                wanted.append(row)
        taken: dict[str, tuple[NewImage, NDArray[np.float16]]] = {}
        with closing(look_ahead(self._examined, wanted, threads=threads, ahead=2 * threads)) as examined:
            for row, future in examined:
                self._settle(row, future, taken)
        images = [image for image, _ in taken.values()]
        if images:
            self._catalog.put(images, np.stack([vector for _, vector in taken.values()]))
        changed = len(taken.keys() & known.keys())
        self.changed += changed
        self.added += len(taken) - changed

    def _settle(
        self, row: _Row, future: Future[NewImage], taken: dict[str, tuple[NewImage, NDArray[np.float16]]]
    ) -> None:
        try:
            taken[row.path] = future.result(), _unit(row.vector)
        except UnreadableImage as error:
            self.failures.append(Failure(row.path, str(error)))

    def _examined(self, row: _Row) -> NewImage:
        """Runs in a thread. Raises UnreadableImage."""
        try:
            status = Path(row.path).stat()
        except (OSError, ValueError) as error:
            raise UnreadableImage(getattr(error, "strerror", None) or "not a path") from error
        data = self._files.read(row.path)
        content_hash = hashlib.sha256(data).hexdigest()
        if not _is_what_was_embedded(row.seen, status, content_hash):
            raise UnreadableImage("changed since it was embedded; `sightline index` embeds it anew")
        file = SourceFile(row.path, status.st_size, status.st_mtime_ns)
        return NewImage.of(file, content_hash, read_info(data, self._limits))


def _unit(vector: NDArray[Any]) -> NDArray[np.float16]:
    length = _length(vector)
    if length == 0:
        raise UnreadableImage("its embedding is no vector: not finite, or of length 0")
    unit: NDArray[np.float16] = (vector.astype(np.float32) / length).astype(np.float16)
    return unit


def _is_what_was_embedded(seen: Seen, status: os.stat_result, content_hash: str) -> bool:
    """By the hash where there is one: copying files to another machine often gives them other times."""
    if seen.content_hash is not None:
        return seen.content_hash == content_hash
    return seen.size in (None, status.st_size) and seen.mtime in (None, status.st_mtime)


def _seems_as_it_was(row: _Row) -> bool:
    """Without a look into the file."""
    try:
        status = Path(row.path).stat()
    except (OSError, ValueError):
        return False
    times_count = row.seen.content_hash is None
    return row.seen.size in (None, status.st_size) and (not times_count or row.seen.mtime in (None, status.st_mtime))
