"""Tar files, such as WebDataset shards: a tar is no more than its files one after the other, so reading one is a seek.

In one that is packed by gzip a seek decompresses a few megabytes, see `gzipped.py`.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

from indexer.errors import UnreadableImage
from indexer.sources.address import TAR_SUFFIXES
from indexer.sources.archives import ArchiveReader, ArchiveSource, Listing
from indexer.sources.gzipped import GzippedFile
from indexer.sources.source import Version, stamp

_BLOCK = 512
_END_MARK = _BLOCK
"""A whole tar ends with zeroed blocks: at least one must follow the last member."""
_CUT_SHORT = "the tar is cut short: what is missing is not taken as removed; copy it again"
_PACKED = (".gz", ".tgz")
_MUCH = 1 << 20  # bytes read at once where nothing but their end is wanted


class TarArchive:
    """See `Archive`. A picture is read again when its size or anything about the tar has changed."""

    def __init__(self, path: str) -> None:
        """Raises UnreadableImage, OSError."""
        self._path = path
        self._packed = GzippedFile(path) if path.lower().endswith(_PACKED) else None
        self._offsets: dict[str, int] = {}
        self.listing = Listing()
        status = Path(path).stat()
        self._version = stamp(status.st_size, status.st_mtime_ns)
        end, size = self._list_packed(self._packed) if self._packed else self._list_plain(status.st_size)
        if size < -(-end // _BLOCK) * _BLOCK + _END_MARK:
            self.listing.cut_short = _CUT_SHORT

    def read(self, name: str) -> bytes:
        size = self.listing.members[name].size
        if self._packed:
            try:
                data = self._packed.read(self._offsets[name], size)
            except (zlib.error, EOFError) as error:
                raise UnreadableImage(f"damaged in the tar ({error})") from error
        else:
            with Path(self._path).open("rb") as file:
                file.seek(self._offsets[name])
                data = file.read(size)
        if len(data) < size:
            raise UnreadableImage(f"cut short: {len(data):,} of {size:,} bytes")
        return data

    def _list_plain(self, size: int) -> tuple[int, int]:
        """Where the last member ends, and the tar."""
        with Path(self._path).open("rb") as file:
            return self._list(file, "r:", size), size

    def _list_packed(self, packed: GzippedFile) -> tuple[int, int]:
        """Likewise, of what is decompressed."""
        end = 0
        with packed.stream() as stream:
            try:
                end = self._list(stream, "r|")
                while stream.read(_MUCH):  # also what follows the last member: its checksum covers it
                    pass
            except (zlib.error, EOFError):
                self.listing.cut_short = _CUT_SHORT
            return end, packed.size

    def _list(self, file: IO[bytes], mode: Literal["r:", "r|"], size: int | None = None) -> int:
        """Where the last member ends."""
        end = 0
        try:
            with tarfile.open(fileobj=file, mode=mode) as tar:
                while (member := tar.next()) is not None:
                    tar.members = []  # type: ignore[attr-defined]  # it would keep all of them
                    end = member.offset_data + member.size
                    if size is not None and end > size:
                        break
                    if member.isreg() and not member.issparse():
                        self._add(member)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            if not end:
                raise UnreadableImage(f"not a tar file ({error})") from error
            self.listing.cut_short = _CUT_SHORT
        return end

    def _add(self, member: tarfile.TarInfo) -> None:
        name = self.listing.add(member.name, Version(member.size, self._version))
        if name is not None:
            self._offsets[name] = member.offset_data


def tar_source(places: Sequence[str], *, max_bytes: int | None = None) -> ArchiveSource:
    """Shards, and folders of shards. Raises SourceNotFound."""
    return ArchiveSource("tar", TarArchive, places, TAR_SUFFIXES, max_bytes=max_bytes)


def tar_reader(*, max_bytes: int | None = None) -> ArchiveReader:
    return ArchiveReader(TarArchive, max_bytes=max_bytes)
