"""A full-text index of the words that are known about images. It is filled when the migrations are done."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE image_words USING fts5(name, folder, title, caption, keyword, "
        "tokenize = 'unicode61 remove_diacritics 2')"
    )
