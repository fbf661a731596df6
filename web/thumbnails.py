"""Small versions of indexed pictures: made once, kept in the library by the hash of the original's bytes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from anyio import CapacityLimiter, to_thread

from indexer.catalog import ImageRecord
from indexer.errors import ImageTooLarge, OriginalGone
from indexer.images import Limits, thumbnail
from indexer.library_folder import thumbnail_path
from web.files import read_if_there, write_if_possible

MEDIA_TYPE: Final = "image/jpeg"
QUALITY: Final = 82
"""JPEG, for the first look at a page: 0.2 ms and 8 kB at 320 px, where WebP takes 1.6 ms for 6 kB."""


class Side(IntEnum):
    """Longest side in pixels. Few sizes, so that the cache stays small."""

    TILE = 320
    LARGE = 1280


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

    def __init__(self, library: Path, limits: Limits, workers: int) -> None:
        self._library = library
        self._limits = limits
        self._workers = CapacityLimiter(workers)

    async def get(self, record: ImageRecord, side: Side) -> Thumbnail:
        """Raises `OriginalGone`, and `UnreadableImage` if the file has become something else."""
        path = self._path(record.content_hash, side)
        data = await to_thread.run_sync(read_if_there, path)
        if data is not None:
            return Thumbnail(data, record.content_hash)
        return await to_thread.run_sync(self._make, record, side, limiter=self._workers)

    def _make(self, record: ImageRecord, side: Side) -> Thumbnail:
        original = read_original(record, self._limits)
        # The file may have changed since it was indexed: its picture must never be kept under the old hash.
        content_hash = hashlib.sha256(original).hexdigest()
        data = _jpeg(original, side, self._limits)
        write_if_possible(self._path(content_hash, side), data)
        return Thumbnail(data, content_hash)

    def _path(self, content_hash: str, side: Side) -> Path:
        return thumbnail_path(self._library, content_hash, side)


def _jpeg(original: bytes, side: Side, limits: Limits) -> bytes:
    buffer = io.BytesIO()
    thumbnail(original, side, limits).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def original_status(record: ImageRecord) -> os.stat_result:
    """The file's status. Raises `OriginalGone` unless it is a regular file: opening a pipe would wait for ever."""
    try:
        status = Path(record.path).stat()
    except (OSError, ValueError) as error:
        raise OriginalGone(record.id, getattr(error, "strerror", None) or "not a path") from error
    if not stat.S_ISREG(status.st_mode):
        raise OriginalGone(record.id, "not a file")
    return status


def read_original(record: ImageRecord, limits: Limits) -> bytes:
    """The file's bytes. Raises `OriginalGone`, and `ImageTooLarge` if it has grown over the limit."""
    size = original_status(record).st_size
    if size > limits.max_bytes:
        raise ImageTooLarge(what="bytes", actual=size, limit=limits.max_bytes, remedy="raise SIGHTLINE_MAX_FILE_MB")
    try:
        return Path(record.path).read_bytes()
    except OSError as error:
        raise OriginalGone(record.id, error.strerror or "cannot be read") from error
