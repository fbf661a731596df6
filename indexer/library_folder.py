"""The folder of a collection: what may lie in it, how it comes to be, and the lock of whoever writes.

catalog.db        the truth
vectors           caches of the first model's vectors; `vectors-2` of the second's
thumbnails        made when they are first looked at
queries           pictures that were searched with
trained           models that were trained here, each in a folder of its own
write.lock        held by the one process that writes
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from indexer.catalog import Catalog
from indexer.database import FILE_NAME, translated
from indexer.errors import CollectionLocked, CollectionNotFound, ForeignCollection
from indexer.manifest import Manifest
from indexer.schema import FIRST_MODEL

VECTORS, THUMBNAILS, QUERIES, TRAINED, WRITE_LOCK = "vectors", "thumbnails", "queries", "trained", "write.lock"

_OURS = re.compile(
    rf"{re.escape(FILE_NAME)}.*|{VECTORS}(-\d+)?|{THUMBNAILS}|{QUERIES}|{TRAINED}|{re.escape(WRITE_LOCK)}|lost\+found"
)
_CREATE_SECONDS = 30.0  # for another process that is making the same collection, which takes it a fraction of one


def vectors_folder(model_id: int) -> str:
    """Below the library, where a model's vector cache is."""
    return VECTORS if model_id == FIRST_MODEL else f"{VECTORS}-{model_id}"


def create_catalog(library: Path, manifest: Manifest) -> Catalog:
    """A new catalog there, or the one that somebody else was faster to make. Raises ForeignCollection."""
    _check_folder(library)
    with translated(library):
        library.mkdir(parents=True, exist_ok=True)
    with locked(library, seconds=_CREATE_SECONDS):
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
    foreign = [name for name in names if not _OURS.fullmatch(name)]
    if foreign:
        raise ForeignCollection(str(library), f"it holds other files, such as {foreign[0]!r}")


@contextmanager
def locked(library: Path, *, seconds: float) -> Iterator[None]:
    """Hold the collection in `library` for writing. Raises CollectionLocked after so long."""
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


def read_if_there(path: Path) -> bytes | None:
    """A cached file's bytes; None if it is not there, cannot be read, or is empty, as a crash can leave a file."""
    try:
        return path.read_bytes() or None
    except OSError:
        return None


def bytes_below(folder: Path) -> int:
    """Size of all files."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  (there may be a million)
            except FileNotFoundError:  # a thumbnail or a log that went while we were counting
                continue
    return total
