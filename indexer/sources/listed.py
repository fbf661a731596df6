"""Lists of pictures: a column of paths and URLs in CSV, TSV, JSON lines or Parquet, or a text with one a line.

A list may be of any length: it is put in order in a temporary database on the disk, as sources have to be.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

from indexer.arrow_library import load_arrow
from indexer.errors import SourceNotFound, UnreadableImage
from indexer.images import Limits
from indexer.sources.address import INSIDE, LIST_SUFFIXES, Address, entry_location, inside, is_remote, parse
from indexer.sources.files import Files, is_filled, reason_of, status_of
from indexer.sources.http import Fetcher
from indexer.sources.remote import Objects
from indexer.sources.source import UNKNOWN_SIZE, SourceFile, SourceProblem, Version, has_suffix

COLUMNS: Final = ("url", "path", "file", "image", "image_url", "image_path", "file_name", "filename", "filepath")
"""The first of these that a list has is taken, in any case, unless one is named."""
_SHOWN: Final = 20  # lines that cannot be read, one by one
_BATCH: Final = 4096
_NEVER = 0
"""Version of what is elsewhere: nobody is asked whether it has changed."""


class Listed:
    """See `Reader`: what entries of lists lead to."""

    def __init__(self, limits: Limits) -> None:
        self._files, self._objects, self._fetcher = Files(limits.max_bytes), Objects(limits.max_bytes), Fetcher(limits)

    def read(self, address: Address) -> bytes:
        place = entry_location(address.container, address.inner)
        if place.startswith(("http://", "https://")):
            return self._fetcher.get(place)
        if is_remote(place):
            try:
                return self._objects.read(parse(place))
            except SourceNotFound as error:
                raise UnreadableImage(str(error)) from error
        if not _is_there(place):
            raise UnreadableImage(f"there is no file {place}")
        return self._files.read(Address(place, "file", place))

    def look(self, address: Address) -> Version | None:
        """Of a URL, while its list is there, only that it was listed."""
        if status_of(address.container) is None:
            return None
        place = entry_location(address.container, address.inner)
        if is_remote(place):
            return Version(UNKNOWN_SIZE, _NEVER)
        found, folder = self._files.look(Address(place, "file", place)), os.path.dirname(place)  # noqa: PTH120
        if found is None and not is_filled(folder):
            raise OSError(f"{folder} is empty or not there, as that of a disk that is away")
        return found


class ListSource:
    """The pictures that a list names, each once."""

    def __init__(self, listing: str, *, column: str | None = None, limits: Limits | None = None) -> None:
        """`column` holds the paths and URLs. Raises SourceNotFound, BrokenInstallation."""
        self._listing = os.path.abspath(listing)  # noqa: PTH100  (links are kept)
        if not Path(self._listing).is_file():
            raise SourceNotFound(self._listing, "there is no such list")
        if not has_suffix(Path(self._listing).name, LIST_SUFFIXES):
            raise SourceNotFound(self._listing, f"a list ends in .{', .'.join(sorted(LIST_SUFFIXES))}")
        self._column = column
        self._reader = Listed(limits or Limits())
        next(self._entries(), None)  # a column that is not there shows now

    @property
    def root(self) -> str:
        return self._listing + INSIDE

    @property
    def kind(self) -> str:
        return "list"

    def owns(self, path: str) -> bool:
        address = parse(path)
        return address.kind == "list" and address.container == self._listing

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        with closing(sqlite3.connect("")) as ordered:  # a file of its own, gone when it is closed
            ordered.execute("CREATE TABLE entry (path BLOB PRIMARY KEY) WITHOUT ROWID")
            yield from self._put_in_order(ordered)
            for (path,) in ordered.execute("SELECT path FROM entry ORDER BY path"):
                yield self._found(os.fsdecode(path))

    def count(self) -> int | None:
        """See `ImageSource`."""
        try:
            return sum(isinstance(entry, str) for entry in self._entries())
        except SourceNotFound:  # the walk will say so
            return None

    def read(self, path: str) -> bytes:
        return self._reader.read(parse(path))

    def _put_in_order(self, ordered: sqlite3.Connection) -> Iterator[SourceProblem]:
        entries, unread = self._entries(), 0
        while batch := list(islice(entries, _BATCH)):
            good = [(os.fsencode(inside(self._listing, entry)),) for entry in batch if isinstance(entry, str)]
            ordered.executemany("INSERT OR IGNORE INTO entry VALUES (?)", good)
            for problem in batch:
                if isinstance(problem, SourceProblem):
                    unread += 1
                    if unread <= _SHOWN:
                        yield problem
        if unread > _SHOWN:
            yield SourceProblem(self.root, f"{unread - _SHOWN:,} lines more cannot be read")

    def _found(self, path: str) -> SourceFile:
        """What is not there is read, too, to be reported like all that cannot be read."""
        try:
            version = self._reader.look(parse(path))
        except OSError:
            version = None
        version = version or Version(UNKNOWN_SIZE, -1)
        return SourceFile(path, version.size, version.mtime_ns)

    def _entries(self) -> Iterator[str | SourceProblem]:
        """In the order of the list. A line that cannot be read may name anything that was indexed before."""
        try:
            for number, entry in self._lines():
                if isinstance(entry, str) and entry.strip() and "\0" not in entry:
                    yield entry.strip()
                else:
                    yield SourceProblem(self.root, f"line {number:,} names no picture")
        except OSError as error:
            raise SourceNotFound(self._listing, f"it cannot be read ({reason_of(error)})") from error
        except (ValueError, csv.Error) as error:
            raise SourceNotFound(self._listing, f"it is damaged ({' '.join(str(error).split())[:200]})") from error

    def _lines(self) -> Iterator[tuple[int, Any]]:
        suffix = Path(self._listing).suffix.lower()
        if suffix == ".parquet":
            yield from self._parquet()
            return
        with Path(self._listing).open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            if suffix == ".txt":
                yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
            elif suffix == ".jsonl":
                yield from self._json_lines(file)
            else:
                rows = csv.reader(file, "excel-tab" if suffix == ".tsv" else "excel")
                place = self._place(next(rows, []))
                yield from ((rows.line_num, row[place] if place < len(row) else None) for row in rows if row)

    def _json_lines(self, file: Iterable[str]) -> Iterator[tuple[int, Any]]:
        """Texts, and of objects the column that the first one has; None for anything else."""
        column: str | None = None
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                fields = None
            if isinstance(fields, dict):
                names = list(fields)
                column = names[self._place(names)] if column is None else column
                fields = fields.get(column)
            yield number, fields

    def _parquet(self) -> Iterator[tuple[int, Any]]:
        parquet = load_arrow("pyarrow.parquet", needed_for="a list in Parquet")
        numbers = count(1)
        with parquet.ParquetFile(self._listing) as file:
            names = file.schema_arrow.names
            column = names[self._place(names)]
            for batch in file.iter_batches(_BATCH, columns=[column]):
                yield from zip(numbers, batch.column(0).to_pylist(), strict=False)

    def _place(self, names: list[str]) -> int:
        """Raises SourceNotFound."""
        folded = [name.strip().lower() for name in names]
        wanted = (self._column.strip().lower(),) if self._column is not None else COLUMNS
        for name in wanted:
            if name in folded:
                return folded.index(name)
        what = f"no column {self._column!r}" if self._column is not None else "no column that is known to name pictures"
        listed = ", ".join(names[:20]) or "none"
        raise SourceNotFound(self._listing, f"{what}; its columns are {listed}: name one with --column")


def _is_there(path: str) -> bool:
    """True also where that cannot be told: reading will say why."""
    try:
        return status_of(path) is not None
    except OSError:
        return True
