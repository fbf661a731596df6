"""The first schema: images, embeddings, tombstones, the revision counter and the manifest."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_image()
    _create_embedding()
    op.create_table(
        "tombstone",
        sa.Column("image_id", _big_id(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_tombstone"),
    )
    op.create_index("ix_tombstone_revision", "tombstone", ["revision"])
    op.create_table(
        "counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counter"),
    )
    op.create_table(
        "manifest",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_manifest"),
    )


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _create_image() -> None:
    op.create_table(
        "image",
        sa.Column("id", _big_id(), autoincrement=True, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("taken_at", sa.DateTime()),
        sa.Column("camera", sa.String()),
        sa.Column("indexed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_image"),
        sa.UniqueConstraint("path", name="uq_image_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_image_content_hash", "image", ["content_hash"])


def _create_embedding() -> None:
    op.create_table(
        "embedding",
        sa.Column("image_id", _big_id(), autoincrement=False, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_embedding_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_id", name="pk_embedding"),
    )
    op.create_index("ix_embedding_revision", "embedding", ["revision"])
