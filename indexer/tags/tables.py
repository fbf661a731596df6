"""The catalog's tables of tags: lists of labels, what images got of them, and what people said by hand."""

from __future__ import annotations

import sqlalchemy as sa

from indexer.schema import image, metadata

label_list = sa.Table(
    "label_list",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("shown", sa.Boolean, nullable=False),  # if not, it is only what others are compared with
)

# What is null is made by the next tagging.
label = sa.Table(
    "label",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("list_id", sa.Integer, sa.ForeignKey("label_list.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("name", sa.String(200), nullable=False, index=True),
    sa.Column("texts", sa.JSON, nullable=False),
    sa.Column("threshold", sa.Float),
    sa.Column("vector", sa.LargeBinary),  # little-endian float32, unit length
    sa.Column("gain", sa.Float),
    sa.Column("tilt", sa.Float),
    sa.Column("bias", sa.Float),
    sqlite_autoincrement=True,  # a number is never given twice
)

# Of the one tagging that the catalog's tags come from.
tagging = sa.Table(
    "tagging",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("model_id", sa.Integer, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),  # of the model's embeddings
    sa.Column("images", sa.BigInteger, nullable=False),  # how many there were when the labels were calibrated
)

image_tag = sa.Table(
    "image_tag",
    metadata,
    sa.Column(
        "image_id",
        image.c.id.type,
        sa.ForeignKey(image.c.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column(
        "label_id",
        sa.Integer,
        sa.ForeignKey("label.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    sa.Column("score", sa.Float, nullable=False),
)

# By the content of the file, so that a picture that moves, goes away and comes back, or is there twice keeps it.
own_tag = sa.Table(
    "own_tag",
    metadata,
    sa.Column("content_hash", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True, index=True),
    sa.Column("wanted", sa.Boolean, nullable=False),  # if not, no list may give it to the picture
)

# Marks are content hashes.
concept = sa.Table(
    "concept",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("right", sa.JSON, nullable=False),
    sa.Column("wrong", sa.JSON, nullable=False),
)
