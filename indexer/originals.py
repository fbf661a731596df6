"""The originals of a collection's images, read by their paths: the one place where a path becomes bytes again.

It is given paths of rows of the catalog, and never one that a client sent: a row came there because a person indexed
what it lies in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from indexer.images import Limits
from indexer.sidecars import captions_beside
from indexer.sources.address import Address, AddressKind, location, parse
from indexer.sources.archives import ArchiveReader
from indexer.sources.files import Files
from indexer.sources.listed import Listed
from indexer.sources.remote import Objects
from indexer.sources.source import Reader, Version, is_same
from indexer.sources.tar import tar_reader
from indexer.sources.video import Frames
from indexer.sources.zip import zip_reader


class Originals:
    """Any number of threads may use it at once. It keeps the listings of the last few archives."""

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._archives: dict[AddressKind, ArchiveReader] = {
            "tar": tar_reader(max_bytes=limits.max_bytes),
            "zip": zip_reader(max_bytes=limits.max_bytes),
        }
        self._readers: dict[AddressKind, Reader] = {
            **self._archives,
            "file": Files(limits.max_bytes),
            "list": Listed(limits),
            "video": Frames(),
            "remote": Objects(limits.max_bytes),
        }

    def read(self, path: str) -> bytes:
        """A picture's file; of a video the frame. Raises `UnreadableImage` with the reason."""
        address = parse(path)
        return self._readers[address.kind].read(address)

    def look(self, path: str) -> Version | None:
        """As it is now; None if it is known to be gone. Raises OSError where neither can be told."""
        address = parse(path)
        return self._readers[address.kind].look(address)

    def is_gone(self, path: str) -> bool:
        """Known to be: a path that merely cannot be looked at is not."""
        try:
            return self.look(path) is None
        except OSError:
            return False

    def is_unchanged(self, path: str, size: int, mtime_ns: int) -> bool:
        """Whether it is there, and a sync would take it as the one that was indexed with these, unread."""
        try:
            now = self.look(path)
        except OSError:
            return False
        return now is not None and is_same(now, size, mtime_ns)

    def captions(self, path: str, damaged: Callable[[Path], None] = lambda sidecar: None) -> tuple[str, ...]:
        """Those beside it: in side-cars of a file, in the texts of the same name of a member of an archive.

        `damaged` is told of each side-car that cannot be read.
        """
        address = parse(path)
        if address.kind == "file":
            return captions_beside(path, damaged)
        reader = self._archives.get(address.kind)
        return reader.captions(address) if reader else ()


def file_of(path: str) -> str | None:
    """The file of this machine that is the original, or the video that it is a frame of; None where there is none."""
    address: Address = parse(location(path))
    return address.container if address.kind in ("file", "video") else None
