"""Zip files. A member costs no more than a file of the size that it says it has, and that is held to the limit."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Sequence

from indexer.errors import UnreadableImage
from indexer.sources.address import ZIP_SUFFIXES
from indexer.sources.archives import ArchiveReader, ArchiveSource, Listing
from indexer.sources.source import Version

_ENCRYPTED = 0x1


class ZipArchive:
    """See `Archive`. A picture is read again when its size or checksum has changed, whatever happened to the zip."""

    def __init__(self, path: str) -> None:
        """Raises UnreadableImage, OSError."""
        self.listing = Listing()
        self._infos: dict[str, zipfile.ZipInfo] = {}
        try:
            self._zip = zipfile.ZipFile(path)  # closed when nobody holds it any more: others may still be reading
        except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError) as error:
            raise UnreadableImage(f"not a zip file, or a damaged one ({error})") from error
        for info in self._zip.infolist():
            if info.is_dir() or _is_link(info):
                continue
            refused = "it is encrypted; unpack it with its password" if info.flag_bits & _ENCRYPTED else None
            name = self.listing.add(info.filename, Version(info.file_size, info.CRC), refused)
            if name is not None:
                self._infos[name] = info

    def read(self, name: str) -> bytes:
        info = self._infos[name]
        try:
            with self._zip.open(info) as member:
                return member.read(info.file_size)  # and no byte more, whatever the compressed ones would grow to
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError) as error:
            raise UnreadableImage(f"damaged in the zip ({error})") from error


def _is_link(info: zipfile.ZipInfo) -> bool:
    return (info.external_attr >> 16) & 0o170000 == 0o120000


def zip_source(places: Sequence[str], *, max_bytes: int | None = None) -> ArchiveSource:
    """Zips, and folders of zips. Raises SourceNotFound."""
    return ArchiveSource("zip", ZipArchive, places, ZIP_SUFFIXES, max_bytes=max_bytes)


def zip_reader(*, max_bytes: int | None = None) -> ArchiveReader:
    return ArchiveReader(ZipArchive, max_bytes=max_bytes)
