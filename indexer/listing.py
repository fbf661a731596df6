"""A source's listing beside the catalog's: what is new, known or gone, in one pass over two sorted streams."""

from __future__ import annotations

import os
from collections.abc import Iterator

from indexer.records import FileState
from indexer.sources import SourceFile


def joined(
    files: Iterator[SourceFile], rows: Iterator[FileState]
) -> Iterator[tuple[SourceFile | None, FileState | None]]:
    """Merges two listings in ascending order of `os.fsencode(path)`: pairs of one path, None where a side lacks it."""
    row = next(rows, None)
    last = b""
    for file in files:
        path = os.fsencode(file.path)
        if path <= last:  # were it let through, rows would be taken as gone whose files come later
            raise ValueError(f"the source lists {file.path!r} out of order")
        last = path
        while row is not None and os.fsencode(row.path) < path:
            yield None, row
            row = next(rows, None)
        if row is not None and row.path == file.path:
            yield file, row
            row = next(rows, None)
        else:
            yield file, None
    while row is not None:
        yield None, row
        row = next(rows, None)
