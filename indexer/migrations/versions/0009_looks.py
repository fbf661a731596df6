"""How images look: a preview and their colours; with the rating, in the index that answers filters and facets."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("image", sa.Column("colours", sa.BigInteger()))
    op.add_column("image", sa.Column("preview", sa.LargeBinary()))
    op.drop_index("ix_image_taken_at", "image")
    columns = ["taken_at", "format", "camera", "width", "height", "size", "rating", "colours"]
    op.create_index("ix_image_taken_at", "image", columns)
