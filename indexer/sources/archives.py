"""Pictures in archives, whatever their format: listed by name, read one by one, never unpacked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from indexer.errors import UnreadableImage
from indexer.sidecars import captions_in
from indexer.sources.address import INSIDE, Address, AddressKind, inside, parse
from indexer.sources.containers import Containers, Kept
from indexer.sources.files import reason_of, status_of
from indexer.sources.source import (
    IMAGE_SUFFIXES,
    SideCar,
    SourceFile,
    SourceProblem,
    Version,
    file_too_large,
    has_suffix,
)

TEXT_SUFFIXES: Final = ("json", "txt")
"""Of what is said of a picture, first come those that count first."""
_MAX_TEXT_BYTES: Final = 1 << 20
_SAMPLED = 8  # archives counted, where counting takes a look at every member


@dataclass(slots=True)
class Listing:
    """What an archive holds, by the names of its members."""

    members: dict[str, Version] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Name and reason."""
    cut_short: str | None = None
    """Why the end of the archive is not known: members may be missing."""

    def add(self, name: str, version: Version, refused: str | None = None) -> str | None:
        """Takes a member in if it is a picture or a text; gives the name that it is listed by."""
        clean = name
        while clean.startswith("./"):
            clean = clean[2:]
        parts = clean.split("/")
        if parts[0] == "__MACOSX" or any(part.startswith(".") and part not in (".", "..") for part in parts):
            return None  # hidden, and macOS's own beside the files: as in folders
        if not has_suffix(parts[-1], IMAGE_SUFFIXES.union(TEXT_SUFFIXES)):
            return None
        if any(part in ("", ".", "..") for part in parts):
            refused = "its name leads out of the archive"
        elif clean in self.members:
            self.problems.append((clean, "two members have this name: the last one counts, as in unpacking"))
        if refused:
            self.problems.append((clean, refused))
            return None
        self.members[clean] = version
        return clean


class Archive(Protocol):
    """An archive that was opened. Any number of threads may use it at once."""

    @property
    def listing(self) -> Listing: ...

    def read(self, name: str) -> bytes:
        """All of a listed member. Raises UnreadableImage."""
        ...


Open = Callable[[str], Archive]
"""Raises UnreadableImage, OSError."""


class ArchiveReader:
    """See `Reader`."""

    def __init__(self, open: Open, *, max_bytes: int | None = None) -> None:
        self._archives = Kept(open)
        self._max_bytes = max_bytes

    def open(self, container: str) -> Archive:
        """Raises UnreadableImage."""
        try:
            return self._archives.get(container)
        except OSError as error:
            raise UnreadableImage(f"{container} cannot be read ({reason_of(error)})") from error

    def read(self, address: Address) -> bytes:
        return self._read(address.container, address.inner, self._max_bytes)

    def look(self, address: Address) -> Version | None:
        if status_of(address.container) is None:
            return None
        try:
            listing = self.open(address.container).listing
        except UnreadableImage as error:
            raise OSError(str(error)) from error
        found = listing.members.get(address.inner)
        if found is None and listing.cut_short:
            raise OSError(listing.cut_short)
        return found

    def captions(self, address: Address) -> tuple[str, ...]:
        """Those in the texts beside a picture."""
        for beside in _texts_of(address.inner):
            try:
                captions = captions_in(beside, self._read(address.container, beside, _MAX_TEXT_BYTES))
            except (UnreadableImage, ValueError, RecursionError):
                continue
            if captions:
                return captions
        return ()

    def _read(self, container: str, name: str, max_bytes: int | None) -> bytes:
        archive = self.open(container)
        found = archive.listing.members.get(name)
        if found is None:
            raise UnreadableImage(f"{container} does not hold it")
        if max_bytes is not None and found.size > max_bytes:
            raise file_too_large(found.size, max_bytes)
        try:
            return archive.read(name)
        except OSError as error:
            raise UnreadableImage(f"{container} cannot be read ({reason_of(error)})") from error


class ArchiveSource:
    """The pictures in some archives. What is held in memory is the listing of a few of them."""

    def __init__(
        self,
        kind: AddressKind,
        open: Open,
        places: Sequence[str],
        suffixes: frozenset[str],
        *,
        max_bytes: int | None = None,
    ) -> None:
        """`places`: archives, and folders of archives. Raises SourceNotFound."""
        self._kind = kind
        self._containers = Containers(places, suffixes=suffixes, mark=f"{INSIDE}/")
        self._reader = ArchiveReader(open, max_bytes=max_bytes)

    @property
    def root(self) -> str:
        return self._containers.root

    @property
    def kind(self) -> str:
        return self._kind

    def owns(self, path: str) -> bool:
        address = parse(path)
        return address.kind == self._kind and self._containers.has(address.container)

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        for found in self._containers.walk():
            if isinstance(found, SourceProblem):
                yield found
            else:
                yield from self._inside(found.path)

    def count(self) -> int:
        """See `ImageSource`. A few archives are counted, and the rest taken for like them."""
        paths = list(self._containers.paths())
        sample = paths[:: max(1, len(paths) // _SAMPLED)][:_SAMPLED]
        counted = sum(isinstance(found, SourceFile) for path in sample for found in self._inside(path))
        return round(counted * len(paths) / len(sample)) if sample else 0

    def read(self, path: str) -> bytes:
        return self._reader.read(parse(path))

    def _inside(self, container: str) -> Iterator[SourceFile | SourceProblem]:
        try:
            listing = self._reader.open(container).listing
        except UnreadableImage as error:
            yield SourceProblem(container + INSIDE, str(error))
            return
        if listing.cut_short:
            yield SourceProblem(container + INSIDE, listing.cut_short)
        for name, reason in listing.problems:
            yield SourceProblem(inside(container, name), reason)
        for name in sorted(_pictures(listing.members), key=os.fsencode):
            version = listing.members[name]
            beside = ((text, listing.members[text]) for text in _texts_of(name) if text in listing.members)
            sidecars = tuple(SideCar(inside(container, text), found.size, found.mtime_ns) for text, found in beside)
            yield SourceFile(inside(container, name), version.size, version.mtime_ns, sidecars)


def _texts_of(picture: str) -> Iterator[str]:
    """Names of what may be said of it: they share its name up to the first dot, as WebDataset has them."""
    folder, slash, name = picture.rpartition("/")
    return (f"{folder}{slash}{name.partition('.')[0]}.{suffix}" for suffix in TEXT_SUFFIXES)


def _pictures(members: Mapping[str, Version]) -> Iterator[str]:
    return (name for name in members if has_suffix(name, IMAGE_SUFFIXES))
