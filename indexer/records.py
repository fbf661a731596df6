"""What the catalog takes and gives: frozen records, never database rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from indexer.images import ImageInfo
from indexer.manifest import Manifest
from indexer.sources import SourceFile
from indexer.sources.address import parse
from indexer.vectors import Ids


@dataclass(frozen=True, slots=True)
class NewImage:
    """What is known of an image file before it has an id."""

    path: str
    """See `indexer/sources/address.py`; as `os.fsdecode` gives it."""
    size: int
    """Bytes."""
    mtime_ns: int
    """See `Version`."""
    content_hash: str
    """SHA-256 of the file, hexadecimal."""
    width: int
    height: int
    format: str
    taken_at: datetime | None
    """By the camera's clock, without a time zone."""
    camera: str | None

    @classmethod
    def of(cls, file: SourceFile, content_hash: str, info: ImageInfo) -> NewImage:
        return cls(
            path=file.path,
            size=file.size,
            mtime_ns=file.mtime_ns,
            content_hash=content_hash,
            width=info.width,
            height=info.height,
            format=parse(file.path).video_format or info.format,
            taken_at=info.taken_at,
            camera=info.camera,
        )


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image of the collection; the fields are those of `NewImage`."""

    id: int
    path: str
    size: int
    mtime_ns: int
    content_hash: str
    width: int
    height: int
    format: str
    taken_at: datetime | None
    camera: str | None
    indexed_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells whether a file has changed since it was indexed."""

    id: int
    path: str
    size: int
    mtime_ns: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Vectors put and images removed; a reader that has applied every batch of one call is at `revision`."""

    revision: int
    put_ids: Ids
    put_vectors: NDArray[np.float16]
    """`(len(put_ids), dimension)`."""
    removed_ids: Ids


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that a collection has embeddings of."""

    id: int
    manifest: Manifest
    embeddings: int
    """How many images have one."""
    serving: bool
    """It answers the searches."""
    previous: bool
    """It did before the one that does; `rollback` goes back to it."""
    created_at: datetime
    """UTC."""
