"""The catalog's tables, in portable types: what a migration must lead to, on any database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

HEAD = "0011"
"""The newest migration in `indexer/migrations/versions`; opening a catalog at this one needs no Alembic."""

ONLY_ROW = 1
"""`collection` has this one row."""
FIRST_MODEL = 1
"""The number of the model that a collection was made with."""


class PathBytes(sa.types.TypeDecorator[str]):
    """A path as the bytes the file system has: names that are not UTF-8 survive, and prefixes are byte ranges."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else os.fsdecode(value)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware time, kept as UTC without a zone: SQLite has no type for zones."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


# SQLite counts up by itself only in a column that is declared INTEGER.
_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

image = sa.Table(
    "image",
    metadata,
    sa.Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    sa.Column("path", PathBytes, nullable=False, unique=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False, index=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("format", sa.String(16), nullable=False),
    sa.Column("taken_at", sa.DateTime),
    sa.Column("camera", sa.String),
    sa.Column("indexed_at", UtcDateTime, nullable=False),
    sa.Column("rating", sa.Integer),  # 0 to 5 stars
    sa.Column("sidecars", sa.String(16)),  # what tells whether they changed; NULL: texts were never looked for
    sa.Column("colours", sa.BigInteger),  # see `indexer/looks/colours.py`; NULL: the picture was never looked at
    sa.Column("preview", sa.LargeBinary),  # a tiny WebP file, about 115 bytes
    # For filters and facets, which ask for nothing else most of the time: then no row is read.
    sa.Index("ix_image_taken_at", "taken_at", "format", "camera", "width", "height", "size", "rating", "colours"),
    sqlite_autoincrement=True,  # an id is never given twice, also after the newest image was removed
)

# What is said of an image: captions, keywords, a title.
image_text = sa.Table(
    "image_text",
    metadata,
    sa.Column(
        "image_id", _BIG_ID, sa.ForeignKey("image.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),  # among those of its image
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

# Where images come from: what `sightline index` was given, to be looked at again.
root = sa.Table(
    "root",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("path", PathBytes, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),  # of its source
    sa.Column("options", sa.JSON, nullable=False),  # of its source, where that is no folder
    sa.Column("include", sa.JSON, nullable=False),  # patterns
    sa.Column("exclude", sa.JSON, nullable=False),
    sa.Column("mounts", sa.JSON, nullable=False),  # folders where another disk begins
    sa.Column("state", sa.String(16), nullable=False),  # online or offline
    sa.Column("reason", sa.Text, nullable=False),  # why it is offline
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime),  # online
    sa.Column("synced_at", UtcDateTime),  # as a whole
    sa.UniqueConstraint("path", "kind"),
)

collection = sa.Table(
    "collection",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("uid", sa.String(32), nullable=False),  # random: tells this catalog's cache from another's
    sa.Column("serving", sa.Integer, sa.ForeignKey("model.id"), nullable=False),
    sa.Column("previous", sa.Integer, sa.ForeignKey("model.id")),  # what `rollback` goes back to
    sa.Column("created_at", UtcDateTime, nullable=False),
)

model = sa.Table(
    "model",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("manifest", sa.Text, nullable=False),  # `Manifest.to_json()`
    sa.Column("revision", sa.BigInteger, nullable=False),  # grows with every change of this model's embeddings
    sa.Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice: caches are named after it
)


job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("wish", sa.String(16), nullable=False),  # what people want of it: run, pause or cancel
    sa.Column("owner", sa.String(128)),  # the process that runs it, see `indexer/jobs/leases.py`
    sa.Column("beat_at", UtcDateTime),
    sa.Column("done", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger),
    sa.Column("rate", sa.Float),  # a second
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sqlite_autoincrement=True,
)

job_line = sa.Table(
    "job_line",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.Integer, sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

# A part of a job that one of its workers does: the images of a range of ids.
shard = sa.Table(
    "shard",
    metadata,
    sa.Column("job_id", sa.Integer, sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_id", sa.BigInteger, nullable=False),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("owner", sa.String(128)),
    sa.Column("beat_at", UtcDateTime),
)

# What is known of duplicates is kept by content, so that it outlives moves, and copies share it.
_HASH = sa.String(64)

fingerprint = sa.Table(
    "fingerprint",
    metadata,
    sa.Column("content_hash", _HASH, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),  # of how it was made, see `indexer/duplicates/fingerprints.py`
    sa.Column("grey", sa.LargeBinary, key="pixels", nullable=False),  # grey values; since version 2 colours, too
)

duplicate_link = sa.Table(
    "duplicate_link",
    metadata,
    sa.Column("first", _HASH, primary_key=True),
    sa.Column("second", _HASH, primary_key=True, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
)

duplicate_group = sa.Table(
    "duplicate_group",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("level", sa.String(16), nullable=False, index=True),  # the loosest kind of link that may be in it
    sqlite_autoincrement=True,  # pages go by it, also after a decision has divided a group
)

duplicate_member = sa.Table(
    "duplicate_member",
    metadata,
    sa.Column(
        "group_id",
        sa.Integer,
        sa.ForeignKey("duplicate_group.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("content_hash", _HASH, primary_key=True, index=True),
)

# What people decided; never deleted but by them.
duplicate_apart = sa.Table(
    "duplicate_apart",
    metadata,
    sa.Column("first", _HASH, primary_key=True),
    sa.Column("second", _HASH, primary_key=True),
    sa.Column("decided_at", UtcDateTime, nullable=False),
)

duplicate_kept = sa.Table(
    "duplicate_kept",
    metadata,
    sa.Column("content_hash", _HASH, primary_key=True),
    sa.Column("image_id", sa.BigInteger, nullable=False),  # of copies with the same bytes this one, while it is there
    sa.Column("decided_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ModelTables:
    """Every model has tables of its own: filling one disturbs no reader of another, and dropping one is at once."""

    embedding: sa.Table
    tombstone: sa.Table


@lru_cache(maxsize=64)
def tables_of(model_id: int) -> ModelTables:
    """Of the model of that number; they need not be there."""
    own = sa.MetaData(naming_convention=metadata.naming_convention)
    # The revision is the vector's, not the row's: an image that only moved must not be put into the index again.
    embedding = sa.Table(
        f"embedding_{model_id}",
        own,
        sa.Column(
            "image_id", _BIG_ID, sa.ForeignKey(image.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("vector", sa.LargeBinary, nullable=False),  # little-endian float16, unit length
        sa.Column("revision", sa.BigInteger, nullable=False, index=True),
    )
    tombstone = sa.Table(
        f"tombstone_{model_id}",
        own,
        sa.Column("image_id", _BIG_ID, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False, index=True),
    )
    return ModelTables(embedding, tombstone)
