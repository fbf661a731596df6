"""What could not be indexed, and why: kept in the catalog until it succeeds, or is gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from indexer import statements
from indexer.reports import Failure
from indexer.schema import PathBytes, UtcDateTime, metadata
from indexer.scope import lies_in
from indexer.transactions import Transactions

_KIND_LENGTH = 200
_NUMBER = re.compile(r"\d[\d,.]*")

failure = sa.Table(
    "failure",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("path", PathBytes, nullable=False),
    sa.Column("picture", PathBytes, nullable=False),  # whose it is: of a side-car the image beside it, else the same
    sa.Column("root", PathBytes, nullable=False, index=True),  # of the source that it was met in
    sa.Column("source", sa.String(16), nullable=False),  # its kind
    sa.Column("kind", sa.String(_KIND_LENGTH), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,  # pages go by it
)


@dataclass(frozen=True, slots=True)
class StoredFailure:
    id: int
    path: str
    root: str
    kind: str
    """The reason without its numbers: what failures are grouped by."""
    reason: str
    since: datetime
    """When it was first met; UTC."""


class Failures(Transactions):
    """Of one catalog. Every method is one transaction."""

    def kinds(self) -> list[tuple[str, int]]:
        """Each kind and how many there are of it, the most first."""
        return self._counted(failure.c.kind)

    def roots(self) -> list[tuple[str, str, int]]:
        """Each source that something failed in, its kind, and how much, the most first."""
        return self._counted(failure.c.root, failure.c.source)

    def some(self, kind: str | None = None, *, after: int = 0, limit: int = 100) -> list[StoredFailure]:
        """The first `limit` above the id `after`, of that kind or of all."""
        columns = (failure.c[name] for name in StoredFailure.__dataclass_fields__)
        query = sa.select(*columns).where(failure.c.id > after).order_by(failure.c.id).limit(limit)
        if kind is not None:
            query = query.where(failure.c.kind == kind)
        with self._reading() as connection:
            return [StoredFailure(*row) for row in connection.execute(query)]

    def pictures(self, root: str, source: str) -> set[str]:
        """What has failed in a source: images, and those with a side-car that has."""
        with self._reading() as connection:
            return set(connection.scalars(sa.select(failure.c.picture).where(*_of(root, source))))

    def replace(
        self,
        root: str,
        source: str,
        found: Sequence[tuple[Failure, str]],
        kept: set[str],
        parts: Sequence[str] | None = None,
    ) -> None:
        """A source was looked through, or these parts of it: what failed now, with the picture that it is of.

        What failed before and not now is forgotten, but for the pictures `kept`, which were not looked into.
        """
        now = {(one.path, one.reason): picture for one, picture in found}
        with self._writing() as connection:
            before = connection.execute(sa.select(failure).where(*_of(root, source))).all()
            known = {(row.path, row.reason) for row in before}
            gone = [
                row.id
                for row in before
                if (row.path, row.reason) not in now
                and row.picture not in kept
                and (parts is None or lies_in(row.picture, parts))
            ]
            for chunk in statements.chunks(gone, statements.IN_LIST):
                connection.execute(sa.delete(failure).where(failure.c.id.in_(chunk)))
            rows = [_row(root, source, *key, picture) for key, picture in now.items() if key not in known]
            if rows:
                connection.execute(sa.insert(failure), rows)

    def forget(self, root: str, source: str) -> None:
        """The source is not looked at any more."""
        with self._writing() as connection:
            connection.execute(sa.delete(failure).where(*_of(root, source)))

    def _counted(self, *columns: sa.Column[Any]) -> list[Any]:
        number = sa.func.count()
        query = sa.select(*columns, number).group_by(*columns).order_by(number.desc(), *columns)
        with self._reading() as connection:
            return [tuple(row) for row in connection.execute(query)]


class FailureNotes:
    """What failed in one sync of a source, and what failed before and was not looked into now."""

    def __init__(self, store: Failures, root: str, source: str) -> None:
        """`source` is its kind."""
        self._store, self._root, self._source = store, root, source
        self._before = store.pictures(root, source)
        self._kept: set[str] = set()
        self._pictures: dict[str, str] = {}  # of side-cars
        self._parts: list[str] = []

    def looked_at(self, part: str) -> None:
        """Not all of the source, but this file or folder."""
        self._parts.append(part)

    def unchanged(self, picture: str) -> None:
        """It is as it was, with its side-cars, and was not read."""
        if picture in self._before:
            self._kept.add(picture)

    def beside(self, picture: str, failures: Sequence[Failure]) -> None:
        """They are of its side-cars."""
        self._pictures.update((one.path, picture) for one in failures)

    def write(self, failures: Sequence[Failure], *, whole: bool) -> None:
        """The whole source was looked at, or else the parts of it that were noted."""
        found = [(one, self._pictures.get(one.path, one.path)) for one in failures]
        if found or self._before:
            self._store.replace(self._root, self._source, found, self._kept, None if whole else self._parts)


def kind_of(reason: str) -> str:
    """`12,345,678 bytes is over the limit of 10,000,000` and the like are one kind, whatever the numbers."""
    return _NUMBER.sub("…", reason)[:_KIND_LENGTH]


def _row(root: str, source: str, path: str, reason: str, picture: str) -> dict[str, object]:
    met = {"root": root, "source": source, "since": datetime.now(UTC)}
    return {**met, "path": path, "picture": picture, "kind": kind_of(reason), "reason": reason}


def _of(root: str, source: str) -> tuple[sa.ColumnElement[bool], ...]:
    return failure.c.root == root, failure.c.source == source
