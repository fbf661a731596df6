"""Fingerprints, what is linked by them, groups of duplicates, and what people decided of these."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fingerprint",
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("grey", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name="pk_fingerprint"),
    )
    op.create_table(
        "duplicate_link",
        sa.Column("first", sa.String(64), nullable=False),
        sa.Column("second", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("first", "second", name="pk_duplicate_link"),
    )
    op.create_index("ix_duplicate_link_second", "duplicate_link", ["second"])
    op.create_table(
        "duplicate_group",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_duplicate_group"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_duplicate_group_level", "duplicate_group", ["level"])
    op.create_table(
        "duplicate_member",
        sa.Column("group_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["duplicate_group.id"], name="fk_duplicate_member_group_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "content_hash", name="pk_duplicate_member"),
    )
    op.create_index("ix_duplicate_member_content_hash", "duplicate_member", ["content_hash"])
    op.create_table(
        "duplicate_apart",
        sa.Column("first", sa.String(64), nullable=False),
        sa.Column("second", sa.String(64), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("first", "second", name="pk_duplicate_apart"),
    )
    op.create_table(
        "duplicate_kept",
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name="pk_duplicate_kept"),
    )
