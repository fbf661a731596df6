"""Tags: lists of labels, what images got of them, what was said by hand, and concepts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_labels()
    _create_image_tag()
    op.create_table(
        "own_tag",
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", "name", name="pk_own_tag"),
    )
    op.create_index("ix_own_tag_name", "own_tag", ["name"])
    op.create_table(
        "concept",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("right", sa.JSON(), nullable=False),
        sa.Column("wrong", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_concept"),
    )


def _create_labels() -> None:
    op.create_table(
        "label_list",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_label_list"),
        sa.UniqueConstraint("name", name="uq_label_list_name"),
    )
    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("threshold", sa.Float()),
        sa.Column("vector", sa.LargeBinary()),
        sa.Column("gain", sa.Float()),
        sa.Column("tilt", sa.Float()),
        sa.Column("bias", sa.Float()),
        sa.ForeignKeyConstraint(["list_id"], ["label_list.id"], name="fk_label_list_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_label"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_label_list_id", "label", ["list_id"])
    op.create_index("ix_label_name", "label", ["name"])


def _create_image_tag() -> None:
    op.create_table(
        "tagging",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tagging"),
    )
    op.create_table(
        "image_tag",
        sa.Column(
            "image_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("label_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_image_tag_image_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"], name="fk_image_tag_label_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_id", "label_id", name="pk_image_tag"),
    )
    op.create_index("ix_image_tag_label_id", "image_tag", ["label_id"])
