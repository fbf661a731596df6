"""What the catalog takes and gives: frozen records, never database rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from indexer.images import ImageInfo
from indexer.looks.look import Look
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
    preview: bytes | None = None
    """A tiny WebP file."""
    colours: int | None = None
    """See `indexer/looks/colours.py`; None, as of the preview: the next sync looks at the picture."""

    @classmethod
    def of(cls, file: SourceFile, content_hash: str, info: ImageInfo, look: Look | None = None) -> NewImage:
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
            preview=look.preview if look else None,
            colours=look.colours if look else None,
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
    rating: int | None = None
    """0 to 5 stars, as XMP says."""
    preview: bytes | None = None
    colours: int | None = None

    @property
    def look(self) -> Look | None:
        """None: nobody has looked at the picture yet."""
        if self.preview is None or self.colours is None:
            return None
        return Look(self.preview, self.colours)


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells whether a file has changed since it was indexed."""

    id: int
    path: str
    size: int
    mtime_ns: int
    content_hash: str
    sidecars: str | None = None
    """`SourceFile.sidecar_mark` when its texts were read; None if they never were."""
    colours: int | None = None
    """None: nobody has looked at the picture yet."""


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
