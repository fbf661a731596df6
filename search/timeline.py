"""A result by months: how many images were taken in each, and where it begins among the newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from indexer.catalog import Catalog, ImageRecord
from indexer.schema import image
from search.box_text import box_text


@dataclass(frozen=True, slots=True)
class Month:
    month: str
    """`2023-07`, by the camera's clock."""
    images: int
    box: str | None
    """The text that filters by it."""
    offset: int
    """How many images come before its first where the newest come first."""


Timeline = tuple[Month, ...]
"""The newest first; images without a date are in none, and come last."""


def timeline_of(records: Iterable[ImageRecord]) -> Timeline:
    return _placed(Counter(f"{record.taken_at:%Y-%m}" for record in records if record.taken_at))


def timeline_where(catalog: Catalog, clause: sa.ColumnElement[bool]) -> Timeline:
    """Of all images for which the clause is true, counted by the database."""
    month = _month(image.c.taken_at)
    return _placed({str(value): number for value, number in catalog.counts_by([month], clause) if value is not None})


def _month(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Cut out of the text, which SQLite stores: asked for year and month it would read each date twice."""
    return sa.func.substr(sa.cast(moment, sa.String), 1, 7, type_=sa.String)


def _placed(images: Counter[str] | dict[str, int]) -> Timeline:
    months, before = [], 0
    for month in sorted(images, reverse=True):
        months.append(Month(month, images[month], box_text("taken", month), before))
        before += images[month]
    return tuple(months)
