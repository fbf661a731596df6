"""What was found out, in the catalog: fingerprints, links and groups. All of it is derived: a run makes it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from indexer import statements
from indexer.duplicates.contents import Contents, gather
from indexer.duplicates.fingerprints import VERSION
from indexer.duplicates.groups import Apart, grouped
from indexer.duplicates.kinds import KINDS, Kind, Link
from indexer.records import FileState
from indexer.schema import (
    duplicate_apart,
    duplicate_group,
    duplicate_link,
    duplicate_member,
    fingerprint,
    image,
    tables_of,
)
from indexer.transactions import Transactions

_BATCH = 4096


class DuplicateStore(Transactions):
    """Every method is one transaction."""

    def __init__(self, engine: sa.Engine, library: Path, model_id: int) -> None:
        """`model_id`: the images that count are those with an embedding of it."""
        super().__init__(engine, library)
        self._embedding = tables_of(model_id).embedding

    def missing(self, limit: int, after_id: int = 0) -> list[FileState]:
        """The first `limit` images above `after_id` whose content has no fingerprint, ascending by id."""
        query = (
            statements.STATES.outerjoin_from(image, fingerprint, _OF_IMAGE)
            .where(image.c.id > after_id, fingerprint.c.content_hash.is_(None))
            .order_by(image.c.id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [FileState(*row) for row in connection.execute(query)]

    def count_missing(self) -> int:
        """Images whose content has no fingerprint."""
        query = sa.select(sa.func.count()).select_from(image.outerjoin(fingerprint, _OF_IMAGE))
        with self._reading() as connection:
            return int(connection.execute(query.where(fingerprint.c.content_hash.is_(None))).scalar_one())

    def put_fingerprints(self, rows: Sequence[tuple[str, bytes]]) -> None:
        """`(content hash, fingerprint)`; those that are there already are replaced."""
        fresh = {content: {"content_hash": content, "version": VERSION, "pixels": pixels} for content, pixels in rows}
        if not fresh:
            return
        with self._writing() as connection:
            for chunk in statements.chunks(list(fresh), statements.IN_LIST):
                connection.execute(sa.delete(fingerprint).where(fingerprint.c.content_hash.in_(chunk)))
            connection.execute(sa.insert(fingerprint), list(fresh.values()))

    def contents(self) -> Contents:
        """Of all images that have an embedding; 1,152 bytes each in memory."""
        columns = (image.c[name] for name in ("id", "content_hash", "width", "height", "taken_at", "camera"))
        query = (
            sa.select(*columns, fingerprint.c.pixels)
            .select_from(image)
            .join(self._embedding, self._embedding.c.image_id == image.c.id)
            .outerjoin(fingerprint, _OF_IMAGE)
            .order_by(image.c.id)
        )
        with self._reading() as connection:
            count = int(connection.execute(sa.select(sa.func.count()).select_from(self._embedding)).scalar_one())
            return gather(connection.execution_options(yield_per=_BATCH).execute(query), count)

    def replace(self, links: Sequence[Link]) -> dict[Kind, int]:
        """Links and groups are these from now on; returns how many groups there are at each level.

        What people said is apart is in no group together, and stays linked: they may take it back.
        """
        with self._writing() as connection:
            for table in (duplicate_member, duplicate_group, duplicate_link):
                connection.execute(sa.delete(table))
            if links:
                rows = [_row(link) for link in links]
                for some in statements.chunks(rows, _BATCH):
                    connection.execute(sa.insert(duplicate_link), some)
            copied = set(connection.scalars(_COPIED))
            apart = apart_of(connection)
            return {level: _insert(connection, level, links, apart, copied) for level in KINDS}


_OF_IMAGE = sa.and_(fingerprint.c.content_hash == image.c.content_hash, fingerprint.c.version == VERSION)
_COPIED = sa.select(image.c.content_hash).group_by(image.c.content_hash).having(sa.func.count() > 1)


def apart_of(connection: sa.Connection) -> Apart:
    return {(row.first, row.second) for row in connection.execute(sa.select(duplicate_apart))}


def regroup(connection: sa.Connection, contents: Sequence[str]) -> None:
    """Make the groups anew that these contents are in, after a decision about them."""
    apart = apart_of(connection)
    for level in KINDS:
        there = duplicate_member.c.group_id.in_(
            sa.select(duplicate_member.c.group_id)
            .join(duplicate_group, duplicate_group.c.id == duplicate_member.c.group_id)
            .where(duplicate_group.c.level == level, duplicate_member.c.content_hash.in_(contents))
        )
        rows = connection.execute(sa.select(duplicate_member).where(there)).all()
        members = sorted({*contents, *(row.content_hash for row in rows)})
        for chunk in statements.chunks(sorted({row.group_id for row in rows}), statements.IN_LIST):
            connection.execute(sa.delete(duplicate_group).where(duplicate_group.c.id.in_(chunk)))
        links = _links_among(connection, members)
        copied = {
            content
            for chunk in statements.chunks(members, statements.IN_LIST)
            for content in connection.scalars(_COPIED.where(image.c.content_hash.in_(chunk)))
        }
        _insert(connection, level, links, apart, copied)


def _links_among(connection: sa.Connection, members: Sequence[str]) -> list[Link]:
    known = set(members)
    return [
        Link(row.first, row.second, row.kind, row.confidence)
        for chunk in statements.chunks(members, statements.IN_LIST)
        for row in connection.execute(sa.select(duplicate_link).where(duplicate_link.c.first.in_(chunk)))
        if row.second in known
    ]


def _insert(connection: sa.Connection, level: Kind, links: Iterable[Link], apart: Apart, copied: set[str]) -> int:
    """The groups of that level, and, but for look-alikes, of each other content that there are copies of."""
    groups = grouped(links, level, apart)
    if level != "look-alike":
        inside = {content for group in groups for content in group}
        groups += [[content] for content in sorted(copied - inside)]
    if not groups:
        return 0
    newest = connection.scalar(sa.select(sa.func.max(duplicate_group.c.id))) or 0
    numbered = list(enumerate(groups, start=newest + 1))
    connection.execute(sa.insert(duplicate_group), [{"id": number, "level": level} for number, _ in numbered])
    connection.execute(
        sa.insert(duplicate_member),
        [{"group_id": number, "content_hash": content} for number, group in numbered for content in group],
    )
    return len(groups)


def _row(link: Link) -> dict[str, object]:
    return {"first": link.first, "second": link.second, "kind": link.kind, "confidence": link.confidence}
