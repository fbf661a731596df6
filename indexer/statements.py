"""What the catalog says to its database, in portable SQL: queries, and rows in and out of the tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from indexer.looks.look import Look
from indexer.manifest import Manifest
from indexer.records import FileState, ImageRecord, NewImage
from indexer.schema import FIRST_MODEL, ONLY_ROW, collection, image, image_text, model, tables_of
from indexer.texts import Description, ImageText

IN_LIST = 500
"""Ids or paths a statement: far below every database's limit."""

T = TypeVar("T")

RECORDS = sa.select(*(image.c[name] for name in ImageRecord.__dataclass_fields__))
STATES = sa.select(*(image.c[name] for name in FileState.__dataclass_fields__))


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def write_first_rows(connection: sa.Connection, manifest: Manifest) -> None:
    """The migrations have made the first model's tables."""
    now = datetime.now(UTC)
    connection.execute(sa.insert(model).values(id=FIRST_MODEL, manifest=manifest.to_json(), revision=0, created_at=now))
    connection.execute(
        sa.insert(collection).values(id=ONLY_ROW, uid=uuid.uuid4().hex, serving=FIRST_MODEL, created_at=now)
    )


def write_model(connection: sa.Connection, manifest: Manifest) -> int:
    """One more model, with its tables; returns its number."""
    row = {"manifest": manifest.to_json(), "revision": 0, "created_at": datetime.now(UTC)}
    number = int(connection.execute(sa.insert(model).values(row).returning(model.c.id)).scalar_one())
    tables = tables_of(number)
    for table in (tables.embedding, tables.tombstone):
        table.create(connection)
    return number


def drop_model(connection: sa.Connection, model_id: int) -> None:
    tables = tables_of(model_id)
    for table in (tables.embedding, tables.tombstone):
        table.drop(connection)
    connection.execute(sa.delete(model).where(model.c.id == model_id))


def current_revision(connection: sa.Connection, model_id: int) -> int:
    return int(connection.scalars(sa.select(model.c.revision).where(model.c.id == model_id)).one())


def next_revision(connection: sa.Connection, model_id: int) -> int:
    """Count up. Two writers cannot hold the row at once, so revisions are committed in order."""
    connection.execute(sa.update(model).where(model.c.id == model_id).values(revision=model.c.revision + 1))
    return current_revision(connection, model_id)


def model_ids(connection: sa.Connection) -> list[int]:
    return list(connection.scalars(sa.select(model.c.id).order_by(model.c.id)))


def vectors_after(embedding: sa.Table, revision: int) -> sa.Select[Any]:
    query = sa.select(embedding.c.image_id, embedding.c.vector)
    if revision <= 0:
        return query.order_by(embedding.c.image_id)  # through the table, in the order it is stored
    return query.where(embedding.c.revision > revision).order_by(embedding.c.revision, embedding.c.image_id)


def ids_of(embedding: sa.Table) -> sa.Select[Any]:
    return sa.select(embedding.c.image_id).order_by(embedding.c.image_id)


def contents_of(embedding: sa.Table) -> sa.Select[Any]:
    """Records with their vectors last."""
    pairs = sa.select(*RECORDS.selected_columns, embedding.c.vector).join_from(
        image, embedding, image.c.id == embedding.c.image_id
    )
    return pairs.order_by(image.c.id)


def unpaired(embedding: sa.Table) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Ids of images without a vector, and of vectors without an image."""
    alone = sa.select(image.c.id).where(~sa.exists().where(embedding.c.image_id == image.c.id)).order_by(image.c.id)
    orphaned = ids_of(embedding).where(~sa.exists().where(image.c.id == embedding.c.image_id))
    return alone, orphaned


def remove_vectors(connection: sa.Connection, model_id: int, ids: Sequence[int]) -> None:
    """Of one model, as far as it has them; its readers are told, also of those that another program took out."""
    tables = tables_of(model_id)
    for chunk in chunks(ids, IN_LIST):
        connection.execute(sa.delete(tables.embedding).where(tables.embedding.c.image_id.in_(chunk)))
    bury(connection, tables.tombstone, ids, next_revision(connection, model_id))


def known_ids(connection: sa.Connection, embedding: sa.Table, ids: Sequence[int]) -> list[int]:
    """Those of which there is an image or a vector, ascending."""
    found: set[int] = set()
    for chunk in chunks(ids, IN_LIST):
        for column in (image.c.id, embedding.c.image_id):
            found.update(connection.scalars(sa.select(column).where(column.in_(chunk))))
    return sorted(found)


def bury(connection: sa.Connection, tombstone: sa.Table, ids: Sequence[int], revision: int) -> None:
    """An id may go, come back and go again, when another model's embedding of it grew old: the last time counts."""
    unbury(connection, tombstone, ids)
    connection.execute(sa.insert(tombstone), [{"image_id": id_, "revision": revision} for id_ in ids])


def unbury(connection: sa.Connection, tombstone: sa.Table, ids: Sequence[int]) -> None:
    """Of ids that are there again."""
    for chunk in chunks(ids, IN_LIST):
        connection.execute(sa.delete(tombstone).where(tombstone.c.image_id.in_(chunk)))


def ids_of_paths(connection: sa.Connection, paths: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(paths, IN_LIST):
        query = sa.select(image.c.path, image.c.id).where(image.c.path.in_(chunk))
        found.update((row.path, row.id) for row in connection.execute(query))
    return found


def hashes_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """The content hashes of those that are there."""
    found: dict[int, str] = {}
    for chunk in chunks(ids, IN_LIST):
        query = sa.select(image.c.id, image.c.content_hash).where(image.c.id.in_(chunk))
        found.update((row.id, row.content_hash) for row in connection.execute(query))
    return found


def ratings_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int | None]:
    """Of those that are there."""
    found: dict[int, int | None] = {}
    for chunk in chunks(ids, IN_LIST):
        query = sa.select(image.c.id, image.c.rating).where(image.c.id.in_(chunk))
        found.update((row.id, row.rating) for row in connection.execute(query))
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


def texts_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[ImageText, ...]]:
    """What is said of each, in order; without those of which nothing is said."""
    found: dict[int, list[ImageText]] = {}
    columns = (image_text.c.image_id, image_text.c.kind, image_text.c.text)
    for chunk in chunks(ids, IN_LIST):
        query = sa.select(*columns).where(image_text.c.image_id.in_(chunk))
        for row in connection.execute(query.order_by(image_text.c.image_id, image_text.c.place)):
            found.setdefault(row.image_id, []).append(ImageText(row.kind, row.text))
    return {id_: tuple(texts) for id_, texts in found.items()}


def told_anew(connection: sa.Connection, descriptions: Mapping[int, Description]) -> list[int]:
    """Ids of the images of which something else is said than before; unknown ids are ignored."""
    ids = list(descriptions)
    texts, ratings = texts_of(connection, ids), ratings_of(connection, ids)
    return [
        id_
        for id_, rating in ratings.items()
        if (descriptions[id_].texts, descriptions[id_].rating) != (texts.get(id_, ()), rating)
    ]


def describe(connection: sa.Connection, descriptions: Mapping[int, Description]) -> None:
    """In place of what was said of these images before."""
    if not descriptions:
        return
    for chunk in chunks(list(descriptions), IN_LIST):
        connection.execute(sa.delete(image_text).where(image_text.c.image_id.in_(chunk)))
    texts = [
        {"image_id": id_, "place": place, "kind": text.kind, "text": text.text}
        for id_, said in descriptions.items()
        for place, text in enumerate(said.texts)
    ]
    if texts:
        connection.execute(sa.insert(image_text), texts)
    rows = [{"row": id_, "rating": said.rating, "sidecars": said.sidecars} for id_, said in descriptions.items()]
    connection.execute(update_by_id("rating", "sidecars"), rows)


def look(connection: sa.Connection, looks: Mapping[int, Look]) -> None:
    rows = [{"row": id_, "preview": seen.preview, "colours": seen.colours} for id_, seen in looks.items()]
    if rows:
        connection.execute(update_by_id("preview", "colours"), rows)


def put_vectors(connection: sa.Connection, embedding: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of `image_id`, `vector` and `revision`, new ones and others."""
    if not rows:
        return
    known: set[int] = set()
    for chunk in chunks([row["image_id"] for row in rows], IN_LIST):
        known.update(connection.scalars(sa.select(embedding.c.image_id).where(embedding.c.image_id.in_(chunk))))
    insert_vectors(connection, embedding, [row for row in rows if row["image_id"] not in known])
    if known:
        statement = sa.update(embedding).where(embedding.c.image_id == sa.bindparam("row"))
        statement = statement.values(vector=sa.bindparam("vector"), revision=sa.bindparam("revision"))
        changed = [row for row in rows if row["image_id"] in known]
        connection.execute(
            statement, [{"row": r["image_id"], "vector": r["vector"], "revision": r["revision"]} for r in changed]
        )


def insert_vectors(connection: sa.Connection, embedding: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Of images that are new."""
    if rows:
        connection.execute(sa.insert(embedding), rows)
