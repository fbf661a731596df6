"""The full-text index in the catalog's database: all that is particular to SQLite's FTS5 is here.

It keeps a copy of its texts, 69 of 144 bytes an image as `benchmarks/words.py` makes them: SQLite before 3.43 can take
rows out of an index without texts only when it is told again what was in them, which two tables and a rule for names
would have to say exactly.
PostgreSQL would have a `tsvector` column with a GIN index here; no catalog is kept there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from indexer import statements
from indexer.schema import image
from indexer.words.fields import FIELDS, Field, field_texts, storable, taken_apart

NAME: Final = "image_words"
CREATE: Final = (
    f"CREATE VIRTUAL TABLE {NAME} USING fts5({', '.join(FIELDS)}, tokenize = 'unicode61 remove_diacritics 2')"
)

image_words: Final = sa.table(NAME, sa.column("rowid", sa.Integer), *(sa.column(field, sa.Text) for field in FIELDS))
"""A row for each image, of its id."""
_PAGE = 2000  # images a step of `fill`


def refresh(connection: sa.Connection, ids: Sequence[int]) -> None:
    """What is known of these images now, in place of what was; those that are gone are left out."""
    forget(connection, ids)
    for chunk in statements.chunks(ids, statements.IN_LIST):
        texts = statements.texts_of(connection, chunk)
        paths = connection.execute(sa.select(image.c.id, image.c.path).where(image.c.id.in_(chunk)))
        rows = [{"rowid": row.id, **field_texts(row.path, texts.get(row.id, ()))} for row in paths]
        if rows:
            connection.execute(sa.insert(image_words), rows)


def forget(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Unknown ids are passed over."""
    if ids:
        statement = sa.delete(image_words).where(image_words.c.rowid == sa.bindparam("row"))
        connection.execute(statement, [{"row": int(id_)} for id_ in ids])


def fill(connection: sa.Connection) -> None:
    """Of all images that have no row, some thousands at a time."""
    last = 0
    while ids := list(connection.scalars(missing().where(image.c.id > last).order_by(image.c.id).limit(_PAGE))):
        refresh(connection, ids)
        last = ids[-1]


def missing() -> sa.Select[Any]:
    """Ids of images without a row: none, unless another program wrote."""
    return sa.select(image.c.id).where(~sa.exists().where(image_words.c.rowid == image.c.id))


def orphaned() -> sa.Select[Any]:
    """Ids of rows without an image: none, unless another program wrote."""
    return sa.select(image_words.c.rowid).where(~sa.exists().where(image.c.id == image_words.c.rowid))


IDS_WITH: Final = f"SELECT rowid FROM {NAME} WHERE {NAME} MATCH ? LIMIT ?"
"""Of the images whose words fit an expression, ascending; all of them for a limit below 0."""


def ids_with(expression: str) -> sa.Select[Any]:
    """Of the images whose words fit an expression in FTS5's language, ascending."""
    match = sa.literal_column(NAME).op("MATCH", is_comparison=True)
    return sa.select(image_words.c.rowid).where(match(expression))


def word_expression(word: str, fields: Sequence[Field] = FIELDS) -> str:
    """That a word stands in one of the fields."""
    return f"{{{' '.join(fields)}}} : {_quoted(word)}"


def phrase_expression(phrase: str) -> str:
    """That its words stand in a row in one field; `beachTrip` and `beach trip` are the same in names.

    A `*` at the end: its last word may go on.
    """
    more = "*" if phrase.rstrip().endswith("*") else ""
    ways = dict.fromkeys((_quoted(phrase), _quoted(taken_apart(phrase))))
    return " OR ".join(f"{way}{more}" for way in ways)


def _quoted(text: str) -> str:
    return '"' + storable(text).replace('"', " ").replace("\0", " ") + '"'
