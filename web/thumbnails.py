"""Small versions of indexed pictures: made once, kept in the library by the hash of the original's bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anyio import CapacityLimiter, to_thread

from indexer.catalog import ImageRecord
from indexer.errors import ImageTooLarge, OriginalGone, UnreadableImage
from indexer.images import Limits
from indexer.originals import Originals
from indexer.thumbnails import Side, ThumbnailFolder, make_thumbnail
from web.files import write_if_possible

MEDIA_TYPE: Final = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Thumbnail:
    data: bytes
    """A JPEG file."""
    content_hash: str
    """SHA-256 of the original it shows: the record's own, unless the file has changed since it was indexed."""


class Thumbnails:
    """The thumbnails of one library. At most `workers` are made at once, whatever is asked for; cached ones never wait.

    Two requests may make the same thumbnail: both write the same bytes, and the later one wins.
    """

    def __init__(self, library: Path, originals: Originals, limits: Limits, workers: int) -> None:
        self._folder, self._originals = ThumbnailFolder(library), originals
        self._limits = limits
        self._workers = CapacityLimiter(workers)

    async def get(self, record: ImageRecord, side: Side) -> Thumbnail:
        """Raises `OriginalGone`, and `UnreadableImage` if the file has become something else."""
        data = await to_thread.run_sync(self._folder.read, record.content_hash, side)
        if data is not None:
            return Thumbnail(data, record.content_hash)
        return await to_thread.run_sync(self._make, record, side, limiter=self._workers)

    def _make(self, record: ImageRecord, side: Side) -> Thumbnail:
        original = read_original(record, self._originals)
        # The file may have changed since it was indexed: its picture must never be kept under the old hash.
        content_hash = hashlib.sha256(original).hexdigest()
        data = make_thumbnail(original, side, self._limits)
        write_if_possible(self._folder.path(content_hash, side), data)
        return Thumbnail(data, content_hash)


def original_status(record: ImageRecord, path: str) -> os.stat_result:
    """Of the original's file. Raises `OriginalGone` unless it is a regular one: opening a pipe would wait for ever."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise OriginalGone(record.id, getattr(error, "strerror", None) or "not a path") from error
    if not stat.S_ISREG(status.st_mode):
        raise OriginalGone(record.id, "not a file")
    return status


def read_original(record: ImageRecord, originals: Originals) -> bytes:
    """The picture's bytes. Raises `OriginalGone`, and `ImageTooLarge` if it has grown over the limit."""
    try:
        return originals.read(record.path)
    except ImageTooLarge:
        raise
    except UnreadableImage as error:
        raise OriginalGone(record.id, str(error)) from error
