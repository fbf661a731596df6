"""What the catalog says to its database, in portable SQL: queries, and rows in and out of the tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from indexer import schema
from indexer.manifest import Manifest
from indexer.records import FileState, ImageRecord, NewImage
from indexer.schema import counter, embedding, image

IN_LIST = 500
"""Ids or paths a statement: far below every database's limit."""

T = TypeVar("T")

RECORDS = sa.select(*(image.c[name] for name in ImageRecord.__dataclass_fields__))
STATES = sa.select(*(image.c[name] for name in FileState.__dataclass_fields__))


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def write_first_rows(connection: sa.Connection, manifest: Manifest) -> None:
    connection.execute(sa.insert(counter).values(id=schema.ONLY_ROW, revision=0))
    connection.execute(
        sa.insert(schema.manifest).values(
            id=schema.ONLY_ROW, uid=uuid.uuid4().hex, body=manifest.to_json(), created_at=datetime.now(UTC)
        )
    )


def current_revision(connection: sa.Connection) -> int:
    return int(connection.scalars(sa.select(counter.c.revision)).one())


def next_revision(connection: sa.Connection) -> int:
    """Count up. Two writers cannot hold the row at once, so revisions are committed in order."""
    connection.execute(sa.update(counter).values(revision=counter.c.revision + 1))
    return current_revision(connection)


def vectors_after(revision: int) -> sa.Select[Any]:
    query = sa.select(embedding.c.image_id, embedding.c.vector)
    if revision <= 0:
        return query.order_by(embedding.c.image_id)  # through the table, in the order it is stored
    return query.where(embedding.c.revision > revision).order_by(embedding.c.revision, embedding.c.image_id)


def ids_of_paths(connection: sa.Connection, paths: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(paths, IN_LIST):
        query = sa.select(image.c.path, image.c.id).where(image.c.path.in_(chunk))
        found.update((row.path, row.id) for row in connection.execute(query))
    return found


def update_by_id(*columns: str) -> sa.Update:
    return (
        sa.update(image)
        .where(image.c.id == sa.bindparam("row"))
        .values({column: sa.bindparam(column) for column in columns})
    )


def _fields(new: NewImage, now: datetime) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(new, name) for name in NewImage.__dataclass_fields__}
    return {**fields, "indexed_at": now}


def update_images(connection: sa.Connection, images: Sequence[tuple[int, NewImage]], now: datetime) -> None:
    if images:
        rows = [{**_fields(new, now), "row": id_} for id_, new in images]
        connection.execute(update_by_id(*(name for name in rows[0] if name != "row")), rows)


def insert_images(connection: sa.Connection, images: Sequence[NewImage], now: datetime) -> dict[str, int]:
    if not images:
        return {}
    statement = sa.insert(image).returning(image.c.path, image.c.id)
    rows = connection.execute(statement, [_fields(new, now) for new in images])
    return {row.path: row.id for row in rows}


def update_vectors(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        statement = sa.update(embedding).where(embedding.c.image_id == sa.bindparam("row"))
        connection.execute(statement.values(vector=sa.bindparam("vector"), revision=sa.bindparam("revision")), rows)


def insert_vectors(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(embedding).values(image_id=sa.bindparam("row")), rows)
