"""Originals as one ZIP, made while it is sent: no picture is in memory but a part of the one that is being read."""

from __future__ import annotations

import itertools
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from indexer.errors import UnreadableImage
from indexer.originals import Originals, file_of
from indexer.records import ImageRecord
from indexer.sources.address import location, name

MISSING: Final = "MISSING.txt"
_CHUNK: Final = 1 << 20
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]|^\.+|[. ]+$')
"""What some system does not have in a name, or takes for something else."""


def zipped(records: Iterable[ImageRecord], originals: Originals, missing: Iterable[str] = ()) -> Iterator[bytes]:
    """The bytes of a ZIP of the originals; of frames their video, once. Pictures are packed already: they are stored.

    What cannot be read is listed in `MISSING.txt`, at the end, behind the lines of `missing`.
    """
    from zipstream import ZipStream

    archive, names, lines = ZipStream(), _Names(), list(missing)
    seen: set[str] = set()
    for record in records:
        place = file_of(record.path) or record.path
        if place in seen:
            continue
        seen.add(place)
        try:
            data, size = _opened(record.path, originals, lines)
        except (UnreadableImage, OSError, ValueError) as error:
            lines.append(f"{location(record.path)}: {getattr(error, 'strerror', None) or error}")
            continue
        archive.add(data, names.free(name(place)), size=size)
        yield from archive.all_files()
    if lines:
        text = "".join(line.replace("\n", " ") + "\n" for line in lines)
        archive.add(text.encode("utf-8", "replace"), names.free(MISSING))
    yield from archive.finalize()


def _opened(path: str, originals: Originals, lines: list[str]) -> tuple[Iterable[bytes], int]:
    """Parts of the original and its size. Raises UnreadableImage and OSError."""
    file = file_of(path)
    if file is None:
        data = originals.read(path)
        return [data], len(data)
    status = Path(file).stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise UnreadableImage("not a file")
    with Path(file).open("rb"):
        return _parts(file, lines), status.st_size


def _parts(file: str, lines: list[str]) -> Iterator[bytes]:
    """Read as it is sent: what fails in the middle is too late to be left out."""
    try:
        with Path(file).open("rb") as opened:
            while part := opened.read(_CHUNK):
                yield part
    except OSError as error:
        lines.append(f"{file}: not whole ({error.strerror})")


class _Names:
    """Names for one folder, on systems that tell no upper from lower case, too."""

    def __init__(self) -> None:
        self._taken: set[str] = {MISSING.lower()}

    def free(self, wanted: str) -> str:
        if wanted == MISSING:
            return wanted
        safe = _UNSAFE.sub("_", wanted) or "_"
        stem, dot, suffix = safe.rpartition(".")
        for number in itertools.count(1):
            candidate = safe if number == 1 else f"{stem} ({number}){dot}{suffix}" if stem else f"{safe} ({number})"
            if candidate.lower() not in self._taken:
                break
        self._taken.add(candidate.lower())
        return candidate
