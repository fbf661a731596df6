"""Several models a collection: each has embeddings, tombstones and a revision of its own; one of them serves."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    op.create_table(
        "model",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "collection",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(32), nullable=False),
        sa.Column("serving", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["serving"], ["model.id"], name="fk_collection_serving"),
        sa.ForeignKeyConstraint(["previous"], ["model.id"], name="fk_collection_previous"),
        sa.PrimaryKeyConstraint("id", name="pk_collection"),
    )
    connection.execute(
        sa.text(
            "INSERT INTO model (id, manifest, revision, created_at) "
            "SELECT 1, manifest.body, counter.revision, manifest.created_at FROM manifest, counter"
        )
    )
    connection.execute(
        sa.text(
            "INSERT INTO collection (id, uid, serving, created_at) SELECT 1, manifest.uid, 1, manifest.created_at "
            "FROM manifest"
        )
    )
    _take_over_embeddings()
    op.drop_table("counter")
    op.drop_table("manifest")


def _take_over_embeddings() -> None:
    """By renaming, which takes as long for a million images as for one; only the indexes are made again."""
    for table in ("embedding", "tombstone"):
        op.drop_index(f"ix_{table}_revision", table)
        op.rename_table(table, f"{table}_1")
        op.create_index(f"ix_{table}_1_revision", f"{table}_1", ["revision"])
