"""Sources of other kinds than folders are roots, too: they have options, and a path may be of more than one kind."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEPT = "id, path, kind, include, exclude, mounts, state, reason, added_at, seen_at, synced_at"


def upgrade() -> None:
    """Made anew: SQLite changes no constraint of a table that is there."""
    op.create_table(
        "new_root",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("include", sa.JSON(), nullable=False),
        sa.Column("exclude", sa.JSON(), nullable=False),
        sa.Column("mounts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime()),
        sa.Column("synced_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_root"),
        sa.UniqueConstraint("path", "kind", name="uq_root_path"),
    )
    op.execute(f"INSERT INTO new_root ({_KEPT}, options) SELECT {_KEPT}, '{{}}' FROM root")
    op.drop_table("root")
    op.rename_table("new_root", "root")
