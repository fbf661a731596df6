"""The picture of a catalog's row, to be embedded once more: from its file, or from the thumbnail that is kept of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from indexer.errors import UnreadableImage
from indexer.geometry import Size, fit
from indexer.images import Limits, Pixels, Preprocessing, of_files, of_thumbnails, read_info
from indexer.manifest import Manifest
from indexer.originals import Originals
from indexer.records import FileState
from indexer.thumbnails import Side, ThumbnailFolder

MARGIN = 2.0
"""From this multiple of the size that the model takes a thumbnail stands for its file: figures in docs/models.md."""

Origin = Literal["file", "thumbnail", "small thumbnail"]
"""The last is one within the margin, of a picture whose file cannot be read."""


@dataclass(frozen=True, slots=True)
class Picture:
    pixels: Pixels
    origin: Origin


class StoredPictures(Protocol):
    """Where the pictures of a catalog come from."""

    def policy(self, policy: str) -> str:
        """The name of the collection's decode policy, as it is to be recorded with embeddings of these pictures."""
        ...

    def get(self, file: FileState, manifest: Manifest) -> Picture:
        """As that model takes it; for several threads. Raises UnreadableImage."""
        ...


class Files:
    """From the files themselves, as long as they are what was indexed."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._originals = Originals(self._limits)

    def policy(self, policy: str) -> str:
        return of_files(policy)

    def get(self, file: FileState, manifest: Manifest) -> Picture:
        data = self._originals.read(file.path)
        if hashlib.sha256(data).hexdigest() != file.content_hash:
            raise UnreadableImage("it has changed since it was indexed; `sightline index` takes it in")
        return Picture(manifest.decode(data, self._limits).pixels, "file")


class ThumbnailsFirst:
    """From a thumbnail that is `margin` times as large as the model takes; else from the file.

    Where the file cannot be read, or is not what was indexed, a thumbnail as large as the model takes is enough: it
    shows what was.
    """

    def __init__(self, library: Path, limits: Limits | None = None, *, margin: float = MARGIN) -> None:
        self._thumbnails, self._files, self._margin = ThumbnailFolder(library), Files(limits), margin

    def policy(self, policy: str) -> str:
        return of_thumbnails(policy)

    def get(self, file: FileState, manifest: Manifest) -> Picture:
        pixels = self._thumbnail(file, manifest, (Side.TILE, Side.LARGE), self._margin)
        if pixels is not None:
            return Picture(pixels, "thumbnail")
        try:
            return self._files.get(file, manifest)
        except UnreadableImage:
            pixels = self._thumbnail(file, manifest, (Side.LARGE, Side.TILE), 1.0)
            if pixels is None:
                raise
            return Picture(pixels, "small thumbnail")

    def _thumbnail(self, file: FileState, manifest: Manifest, sides: tuple[Side, ...], margin: float) -> Pixels | None:
        """Of the first that is there, large enough and sound."""
        for side in sides:
            data = self._thumbnails.read(file.content_hash, side)
            if data is None:
                continue
            try:
                info = read_info(data)
                if times_larger((info.width, info.height), manifest.preprocessing) >= margin:
                    return manifest.decode(data).pixels
            except UnreadableImage:  # damaged on the disk
                continue
        return None


def times_larger(size: Size, preprocessing: Preprocessing) -> float:
    """How many times as large a picture of that size is as the model takes it, by the side that has least to spare."""
    width, height = fit(preprocessing, size).resized
    return min(size[0] / width, size[1] / height)
