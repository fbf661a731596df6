"""Facets: how many images of a result there are of each format, orientation, year, camera and tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from indexer.catalog import Catalog, ImageRecord
from indexer.schema import image
from search.filters import SHAPES

CAMERAS = TAGS = 50
"""Of cameras and tags, at most so many: those with the most images."""


@dataclass(frozen=True, slots=True)
class Count:
    value: str
    images: int


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts of a set of images, most first; years the latest first. What is not known of an image is not counted."""

    total: int
    format: tuple[Count, ...]
    orientation: tuple[Count, ...]
    year: tuple[Count, ...]
    camera: tuple[Count, ...]
    tag: tuple[Count, ...] = ()
    """An image counts for each of its tags."""


def facets_of(records: Iterable[ImageRecord], catalog: Catalog | None = None) -> Facets:
    """Of records at hand, at most some thousands; with their catalog, also by their tags."""
    records = list(records)
    counted = _counted(
        [
            (record.format, orientation(record), record.taken_at.year if record.taken_at else None, record.camera, 1)
            for record in records
        ]
    )
    if catalog is None:
        return counted
    return replace(counted, tag=_tags(catalog, image.c.id.in_([record.id for record in records])))


def facets_where(catalog: Catalog, clause: sa.ColumnElement[bool]) -> Facets:
    """Of all images for which the clause is true, counted by the database in one pass."""
    # Words in the statement, not parameters beside it, since PostgreSQL takes each of those for another value.
    landscape, portrait, square = [sa.literal_column(f"'{shape}'", sa.String) for shape in SHAPES]
    wide, high = image.c.width, image.c.height
    orientation = sa.case((wide > high, landscape), (wide < high, portrait), else_=square)
    year = sa.extract("year", image.c.taken_at)
    rows = catalog.counts_by([image.c.format, orientation, year, image.c.camera], clause)
    counted = _counted([(*values[:2], None if values[2] is None else int(values[2]), *values[3:]) for values in rows])
    return replace(counted, tag=_tags(catalog, clause))


def _tags(catalog: Catalog, clause: sa.ColumnElement[bool]) -> tuple[Count, ...]:
    return tuple(Count(name, number) for name, number in catalog.tags.counts(clause, TAGS))


def orientation(record: ImageRecord) -> str:
    if record.width == record.height:
        return "square"
    return "landscape" if record.width > record.height else "portrait"


def _counted(rows: Sequence[tuple[Any, ...]]) -> Facets:
    """Rows of format, orientation, year, camera and number."""
    counters: list[Counter[Any]] = [Counter() for _ in range(4)]
    total = 0
    for *values, number in rows:
        total += number
        for counter, value in zip(counters, values, strict=True):
            if value is not None:
                counter[value] += number
    format, lying, year, camera = (_most_first(counter) for counter in counters)
    years = tuple(sorted(year, key=lambda count: count.value, reverse=True))
    return Facets(total, format, lying, years, camera[:CAMERAS])


def _most_first(counter: Counter[Any]) -> tuple[Count, ...]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(Count(str(value), number) for value, number in ordered)
