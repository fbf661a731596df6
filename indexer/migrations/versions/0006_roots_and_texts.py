"""Roots, to be looked at again as they were; what is said of images: captions, keywords, titles, ratings."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("image", sa.Column("rating", sa.Integer()))
    op.add_column("image", sa.Column("sidecars", sa.String(16)))
    op.create_table(
        "image_text",
        sa.Column("image_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_image_text_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_id", "place", name="pk_image_text"),
    )
    op.create_table(
        "root",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("include", sa.JSON(), nullable=False),
        sa.Column("exclude", sa.JSON(), nullable=False),
        sa.Column("mounts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime()),
        sa.Column("synced_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_root"),
        sa.UniqueConstraint("path", name="uq_root_path"),
    )
