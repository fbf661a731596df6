"""The folders to go on to: those below the last folder that all images of a result have in common."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from indexer.catalog import Catalog
from indexer.schema import image

SLASH = b"/"
SCANNED = 30_000
"""From so many images on all rows are read, be they a million, in their order: half of a million by the index on the
date, one here and one there, took five times as long."""


def next_folders(paths: Iterable[str]) -> Counter[str]:
    """How many of the paths lie below each; what lies in the common folder itself is in none."""
    names = [os.fsencode(path) for path in paths]
    if not names:
        return Counter()
    common = _common_folder(min(names), max(names))
    heads = (name[len(common) :].partition(SLASH) for name in names)
    return _named(common, Counter(head + slash for head, slash, _ in heads if slash).items())


def next_folders_where(catalog: Catalog, clause: sa.ColumnElement[bool], images: int) -> Counter[str]:
    """The same, of all images for which the clause is true, counted by the database; about so many they are."""
    scan = images > SCANNED
    ends = catalog.first_and_last_path(clause, scan=scan)
    if ends is None:
        return Counter()
    common = _common_folder(*map(os.fsencode, ends))
    return _named(common, catalog.counts_by([_NextFolder(image.c.path, len(common) + 1)], clause, scan=scan))


def _common_folder(first: bytes, last: bytes) -> bytes:
    """Of all that sorts between the two; with the slash at its end. May be empty."""
    pairs = zip(first.split(SLASH)[:-1], last.split(SLASH)[:-1], strict=False)
    return b"".join(part + SLASH for part, other in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _named(common: bytes, counts: Iterable[Sequence[Any]]) -> Counter[str]:
    named: Counter[str] = Counter()
    for head, number in counts:
        if head:
            named[os.fsdecode((common + bytes(head)).rstrip(SLASH) or SLASH)] += number
    return named


class _NextFolder(sa.ColumnElement[bytes]):
    """Of a path the bytes from that place, which counts from 1, up to the next slash; empty if there is none."""

    inherit_cache = True
    type = sa.LargeBinary()
    _traverse_internals = [  # noqa: RUF012 - the name and the form are SQLAlchemy's
        ("path", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("start", sa.sql.visitors.InternalTraversal.dp_plain_obj),
    ]

    def __init__(self, path: sa.ColumnElement[Any], start: int) -> None:
        self.path, self.start = path, start


@compiles(_NextFolder, "sqlite")
def _in_sqlite(element: _NextFolder, compiler: Any, **options: Any) -> str:
    rest = f"substr({compiler.process(element.path, **options)}, {int(element.start)})"
    return f"substr({rest}, 1, instr({rest}, x'2f'))"


@compiles(_NextFolder, "postgresql")
def _in_postgresql(element: _NextFolder, compiler: Any, **options: Any) -> str:
    rest = f"substring({compiler.process(element.path, **options)} from {int(element.start)})"
    return rf"substring({rest} for position('\x2f'::bytea in {rest}))"
