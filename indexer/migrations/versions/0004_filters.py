"""An index for filters and facets: by date, with what else they ask for most, so that the rows need not be read."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_image_taken_at", "image", ["taken_at", "format", "camera", "width", "height", "size"])
