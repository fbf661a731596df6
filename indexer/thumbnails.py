"""Small versions of indexed pictures, JPEG files in the library, named by the hash of the original's bytes."""

from __future__ import annotations

import io
from enum import IntEnum
from pathlib import Path
from typing import Final

from indexer.images import Limits, thumbnail
from indexer.library_folder import THUMBNAILS, read_if_there

QUALITY: Final = 82
"""JPEG, for the first look at a page: WebP and AVIF take 5 to 19 times as long to encode, see docs/decisions/0016."""


class Side(IntEnum):
    """Longest side in pixels. Few sizes, so that there are not many files."""

    TILE = 320
    LARGE = 1280


def make_thumbnail(original: bytes, side: Side, limits: Limits | None = None) -> bytes:
    """A JPEG file of an original's bytes, never enlarged. Raises `UndecodableImage` and `ImageTooLarge`."""
    buffer = io.BytesIO()
    thumbnail(original, side, limits or Limits()).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


class ThumbnailFolder:
    """Where the thumbnails of one library lie. They are made when they are first looked at."""

    def __init__(self, library: Path) -> None:
        self._folder = library / THUMBNAILS

    def path(self, content_hash: str, side: Side) -> Path:
        return self._folder / content_hash[:2] / f"{content_hash}-{side}.jpg"

    def read(self, content_hash: str, side: Side) -> bytes | None:
        """The file's bytes, if it is there."""
        return read_if_there(self.path(content_hash, side))
