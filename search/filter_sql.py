"""Filters in the database's language: SQLAlchemy Core over the catalog's image table, for SQLite and PostgreSQL."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from indexer.looks import colours
from indexer.schema import image
from indexer.tags.tables import image_tag, label, label_list, own_tag
from indexer.words import table
from search.filters import (
    MAX_RATING,
    And,
    Camera,
    Color,
    Condition,
    Filter,
    Folder,
    Format,
    Not,
    Or,
    Orientation,
    PathPart,
    Phrase,
    Range,
    Rating,
    Tag,
    Taken,
)

Clause = sa.ColumnElement[bool]


def clause(filter: Filter) -> Clause:
    """What is true for the rows of `image` that pass, and false, never unknown, for the others: NOT has to work."""
    match filter:
        case And(parts):
            return sa.and_(*map(clause, sorted(parts, key=_reads_text)))
        case Or(parts):
            return sa.or_(*map(clause, parts))
        case Not(part):
            return sa.not_(clause(part))
    return _of_condition(filter)


def _reads_text(filter: Filter) -> bool:
    """Whether it looks into texts: the others go first, since SQLite asks in the order that it is given."""
    match filter:
        case And(parts) | Or(parts):
            return any(map(_reads_text, parts))
        case Not(part):
            return _reads_text(part)
    return isinstance(filter, Camera | PathPart | Tag)


def _of_condition(condition: Condition) -> Clause:
    match condition:
        case Taken(start, end):
            return _known(image.c.taken_at, *_limits(image.c.taken_at, start, end))
        case Range():
            return _in_range(condition)
        case Format(names):
            return image.c.format.in_(names)
        case Orientation(shape):
            return _lying(shape)
        case Color(names, least):
            return _known(image.c.colours, sa.or_(*(has_colour(name, least) for name in names)))
        case Rating(least, most):
            return _known(image.c.rating, sa.between(image.c.rating, least or 0, MAX_RATING if most is None else most))
    return _of_words(condition)


def _of_words(condition: Camera | Folder | PathPart | Phrase | Tag) -> Clause:
    match condition:
        case Camera(words):
            return _known(image.c.camera, _HoldsWords(image.c.camera, sa.literal(f"%{_escaped(words)}%", sa.String)))
        case Folder(path):
            return _below(path)
        case PathPart(words):
            return _HoldsText(image.c.path, sa.literal(words, sa.String))
        case Phrase(words):
            return sa.or_(image.c.id.in_(table.ids_with(table.phrase_expression(words))), _named_so(words))
        case Tag(name):
            return _tagged(name)


def _known(column: sa.Column[Any], *clauses: Clause) -> Clause:
    return sa.and_(column.is_not(None), *clauses)


def _limits(column: sa.ColumnElement[Any], start: Any, end: Any) -> list[Clause]:
    clauses: list[Clause] = []
    if start is not None:
        clauses.append(column >= start)
    if end is not None:
        clauses.append(column < end)
    return clauses


def _in_range(filter: Range) -> Clause:
    columns: dict[str, sa.ColumnElement[Any]] = {
        "width": image.c.width,
        "height": image.c.height,
        "bytes": image.c.size,
        "megapixels": sa.cast(image.c.width, sa.BigInteger) * image.c.height,
    }
    column, scale = columns[filter.measure], 1_000_000 if filter.measure == "megapixels" else 1
    clauses: list[Clause] = []
    if filter.least is not None:
        clauses.append(column >= filter.least * scale)
    if filter.most is not None:
        clauses.append(column <= filter.most * scale)
    return sa.and_(*clauses)


def has_colour(name: str, least: float | None = None) -> Clause:
    """Unknown for images that nobody looked at."""
    found = image.c.colours.bitwise_rshift(colours.place_of(name)).bitwise_and(colours.LEVELS)
    return found >= (colours.usual(name) if least is None else colours.level(least))


def _lying(shape: str) -> Clause:
    wide, high = image.c.width, image.c.height
    clauses: dict[str, Clause] = {"landscape": wide > high, "portrait": wide < high, "square": wide == high}
    return clauses[shape]


def _below(folder: str) -> Clause:
    """A range of bytes, which the index on the path answers."""
    start = os.fsencode(folder).rstrip(b"/") + b"/"
    end = start[:-1] + b"0"  # the byte after "/": above all that begins with `start`
    return sa.and_(image.c.path > os.fsdecode(start), image.c.path < os.fsdecode(end))


def _named_so(phrase: str) -> Clause:
    """With a tag of just these words."""
    name = " ".join(phrase.split()).casefold()
    return _with_tag(name, label.c.name == name)


def _tagged(name: str) -> Clause:
    return _with_tag(name, sa.or_(label.c.name == name, label_list.c.name == name))


def _with_tag(name: str, is_meant: Clause) -> Clause:
    named = sa.and_(label_list.c.shown, is_meant)
    labels = sa.select(label.c.id).join(label_list).where(named)
    given = sa.select(image_tag.c.image_id).where(image_tag.c.label_id.in_(labels))
    own = sa.select(own_tag.c.content_hash).where(own_tag.c.name == name, own_tag.c.wanted)
    return sa.or_(image.c.id.in_(given), image.c.content_hash.in_(own))


def _escaped(words: str) -> str:
    """For LIKE, which takes % and _ for any text and any letter."""
    return words.replace("/", "//").replace("%", "/%").replace("_", "/_")


class _HoldsWords(sa.sql.functions.FunctionElement[bool]):
    """Whether a text is like a pattern, in any case: SQLite's own LIKE takes half the time of one of lowered texts."""

    inherit_cache = True
    type = sa.Boolean()


@compiles(_HoldsWords)
def _like(element: _HoldsWords, compiler: Any, **options: Any) -> str:
    text, pattern = (compiler.process(part, **options) for part in element.clauses)
    return f"({text} {'ILIKE' if compiler.dialect.name == 'postgresql' else 'LIKE'} {pattern} ESCAPE '/')"


class _HoldsText(sa.ColumnElement[bool]):
    """Whether a path, which is stored as bytes, holds a text; the case of A to Z does not count."""

    inherit_cache = True
    type = sa.Boolean()
    _traverse_internals = [  # noqa: RUF012 - the name and the form are SQLAlchemy's
        ("path", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("text", sa.sql.visitors.InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, path: sa.ColumnElement[Any], text: sa.ColumnElement[str]) -> None:
        self.path, self.text = path, text


@compiles(_HoldsText, "sqlite")
def _in_sqlite(element: _HoldsText, compiler: Any, **options: Any) -> str:
    path, text = compiler.process(element.path, **options), compiler.process(element.text, **options)
    return f"(instr(lower(CAST({path} AS TEXT)), lower({text})) > 0)"


@compiles(_HoldsText, "postgresql")
def _in_postgresql(element: _HoldsText, compiler: Any, **options: Any) -> str:
    """As text with escapes for all bytes beyond ASCII, since not every path is UTF-8."""
    path, text = compiler.process(element.path, **options), compiler.process(element.text, **options)
    escaped = f"encode(convert_to({text}, 'UTF8'), 'escape')"
    return f"(position(lower({escaped}) in lower(encode({path}, 'escape'))) > 0)"
