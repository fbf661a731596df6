"""Facets: how many images of a result there are of each format, orientation, year, camera, colour, and so on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from indexer.catalog import Catalog, ImageRecord
from indexer.looks.colours import LOOKS, has
from indexer.schema import image
from search.box_text import box_text
from search.dates import YEAR
from search.filter_sql import has_colour
from search.filters import SHAPES
from search.folders import next_folders, next_folders_where

MOST: Final = 50
"""Cameras, folders and tags: those with the most images."""


@dataclass(frozen=True, slots=True)
class Count:
    value: str
    images: int
    box: str | None = None
    """Added to what stands in the box, it filters by this value; None for what the box cannot say."""


Counts = tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts of a set of images, most first; years the latest first, ratings the best."""

    total: int
    format: Counts
    orientation: Counts
    year: Counts
    camera: Counts
    color: Counts
    """An image counts for each of its colours, and for `monochrome`."""
    rating: Counts
    folder: Counts
    """Those below the last folder that all images have in common: what to go on to. By their paths."""
    tag: Counts = ()
    """An image counts for each of its tags."""


def facets_of(records: Iterable[ImageRecord], catalog: Catalog | None = None) -> Facets:
    """Of records at hand, at most some thousands; with their catalog, also by their tags."""
    records = list(records)
    rows = [
        (one.format, orientation(one), one.taken_at and one.taken_at.year, one.camera, one.rating, 1) for one in records
    ]
    looks = [record.colours for record in records if record.colours is not None]
    colours = {look: sum(has(colours, look) for colours in looks) for look in LOOKS}
    tags = catalog.tags.counts(image.c.id.in_([record.id for record in records]), MOST) if catalog else []
    return _facets(rows, colours, next_folders(record.path for record in records), tags)


def facets_where(catalog: Catalog, clause: sa.ColumnElement[bool]) -> Facets:
    """Of all images for which the clause is true, counted by the database."""
    # Words in the statement, not parameters beside it, since PostgreSQL takes each of those for another value.
    landscape, portrait, square = [sa.literal_column(f"'{shape}'", sa.String) for shape in SHAPES]
    wide, high = image.c.width, image.c.height
    lying = sa.case((wide > high, landscape), (wide < high, portrait), else_=square)
    year = sa.extract("year", image.c.taken_at)
    rows = catalog.counts_by([image.c.format, lying, year, image.c.camera, image.c.rating], clause)
    colours = dict(zip(LOOKS, catalog.counts_of([has_colour(look) for look in LOOKS], clause), strict=True))
    folders = next_folders_where(catalog, clause, images=sum(row[-1] for row in rows))
    return _facets(rows, colours, folders, catalog.tags.counts(clause, MOST))


def orientation(record: ImageRecord) -> str:
    if record.width == record.height:
        return "square"
    return "landscape" if record.width > record.height else "portrait"


def _facets(
    rows: Sequence[tuple[Any, ...]], colours: dict[str, int], folders: Counter[str], tags: Sequence[tuple[str, int]]
) -> Facets:
    """Rows of format, orientation, year, camera, rating and number."""
    counters: list[Counter[Any]] = [Counter() for _ in range(5)]
    total = 0
    for *values, number in rows:
        total += number
        for counter, value in zip(counters, values, strict=True):
            if value is not None:
                counter[value] += number
    formats, lying, years, cameras, ratings = counters
    return Facets(
        total,
        format=_most_first("type", formats),
        orientation=_most_first("orientation", lying),
        year=_latest_first(years),
        camera=_most_first("camera", cameras)[:MOST],
        color=_most_first("color", Counter({colour: number for colour, number in colours.items() if number})),
        rating=tuple(_count("rating", *item) for item in sorted(ratings.items(), reverse=True)),
        folder=_most_first("folder", folders)[:MOST],
        tag=tuple(_count("tag", *tag) for tag in tags),
    )


def _most_first(rule: str, counter: Counter[Any]) -> Counts:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(_count(rule, *item) for item in ordered)


def _latest_first(years: Counter[Any]) -> Counts:
    """The box knows years from 1800 on: others are those of clocks that nobody set."""
    counts = (_count("taken", f"{int(year)}", number) for year, number in sorted(years.items(), reverse=True))
    return tuple(one if re.fullmatch(YEAR, one.value) else Count(one.value, one.images) for one in counts)


def _count(rule: str, value: Any, number: int) -> Count:
    return Count(str(value), number, box_text(rule, str(value)))
