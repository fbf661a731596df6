"""The `ImageSource` seam: what a set of images is that can be listed and read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from indexer.errors import ImageTooLarge
from indexer.images import RAISE_BYTES
from indexer.sources.address import Address

UNKNOWN_SIZE: Final = -1
"""Of what is not known to have a size before it is read."""


@dataclass(frozen=True, slots=True)
class Version:
    """What tells whether a picture is the one that was indexed, unread."""

    size: int
    """Bytes, or `UNKNOWN_SIZE`."""
    mtime_ns: int
    """Of a file the time of its last change; elsewhere any number that changes with the content."""


@dataclass(frozen=True, slots=True)
class SideCar:
    """A file beside an image that may say something of it; `ImageSource.read` takes its path, too."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One candidate image. `path` is absolute; bytes that are not UTF-8 are kept as `os.fsdecode` keeps them."""

    path: str
    size: int
    """See `Version`."""
    mtime_ns: int
    sidecars: tuple[SideCar, ...] = ()
    """In the order of `sidecars.sidecar_names`."""

    @property
    def sidecar_mark(self) -> str:
        """Another one whenever a side-car comes, goes or changes; empty without any."""
        if not self.sidecars:
            return ""
        told = "".join(f"{os.path.basename(car.path)}\0{car.size}\0{car.mtime_ns}\0" for car in self.sidecars)  # noqa: PTH119
        return hashlib.blake2b(os.fsencode(told), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """Something under the root that could not be listed; `path` and all below it must not be taken as removed."""

    path: str
    reason: str


class ImageSource(Protocol):
    """A set of images that can be listed in a fixed order and read one by one. Paths: `indexer/sources/address.py`."""

    @property
    def root(self) -> str:
        """Absolute path; every listed path lies below it."""
        ...

    @property
    def kind(self) -> str:
        """As `SourceKind`: the same folder can be a source of images, of archives and of videos."""
        ...

    def owns(self, path: str) -> bool:
        """Whether a path below the root would be listed here if it were there; other sources have theirs there, too."""
        ...

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        """Candidates in ascending order of `os.fsencode(path)`, so that they can be merged with the catalog's rows."""
        ...

    def count(self) -> int | None:
        """How many candidates a walk would meet, for progress only: cheaper than a walk, and may be a little off.

        None where only the walk can tell.
        """
        ...

    def read(self, path: str) -> bytes:
        """The file's bytes. Raises `UnreadableImage` with the reason: vanished, cannot be read, or too large."""
        ...


class Reader(Protocol):
    """Pictures of one kind of address, one by one. Any number of threads may use it at once."""

    def read(self, address: Address) -> bytes:
        """See `ImageSource.read`."""
        ...

    def look(self, address: Address) -> Version | None:
        """As it is now; None if it is known to be gone. Raises OSError where neither can be told."""
        ...


IMAGE_SUFFIXES = frozenset(
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "tif", "tiff", "avif", "heic", "heif"]
)
"""What makes a file a candidate, in any case; what it really is, the decoder finds out."""


def is_unchanged(path: str, size: int, mtime_ns: int) -> bool:
    """Whether a file is there with that size and time, by which a sync would take it as unchanged, unread."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return False
    return (status.st_size, status.st_mtime_ns) == (size, mtime_ns)


def is_same(now: Version | SourceFile, size: int, mtime_ns: int) -> bool:
    """Whether a picture that was indexed with these is still that, as far as can be told unread."""
    return now.mtime_ns == mtime_ns and now.size in (UNKNOWN_SIZE, size)


def has_suffix(name: str, suffixes: frozenset[str]) -> bool:
    """In any case; `tar.gz` counts as one."""
    stem, _, suffix = name.rpartition(".")
    suffix = suffix.lower()
    if suffix == "gz":
        stem, _, inner = stem.rpartition(".")
        suffix = f"{inner.lower()}.{suffix}"
    return bool(stem) and suffix in suffixes


def stamp(*evidence: object) -> int:
    """63 bits that stand for all of it in `Version.mtime_ns`."""
    digest = hashlib.blake2b(repr(evidence).encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def file_too_large(size: int, max_bytes: int) -> ImageTooLarge:
    return ImageTooLarge(what="bytes", actual=size, limit=max_bytes, remedy=RAISE_BYTES)
