"""The duplicates of a collection for those who look at them: groups page by page, and decisions about them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, product
from typing import Any

import sqlalchemy as sa

from indexer import statements
from indexer.duplicates.kinds import COLLAPSED, KINDS, Kind, Link, loosest, within
from indexer.duplicates.selection import counted, selected
from indexer.duplicates.store import regroup
from indexer.errors import ImageNotFound, InvalidRequest
from indexer.records import ImageRecord
from indexer.schema import (
    duplicate_apart,
    duplicate_group,
    duplicate_kept,
    duplicate_link,
    duplicate_member,
    image,
)
from indexer.sources.address import is_file
from indexer.transactions import Transactions

MOST_APART = 50
"""Images of one decision: each is set apart from each."""


@dataclass(frozen=True, slots=True)
class Member:
    image: ImageRecord
    decided: bool
    """Somebody said to keep it."""
    keep: bool
    """Decided, or, where nobody has decided in its group, the best of it."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    id: int
    """Of the last run, or the last decision about it."""
    kind: Kind
    """The loosest of its links; identical if there is none."""
    confidence: float
    """The lowest of its links."""
    members: tuple[Member, ...]
    """Those to keep first, then the better ones."""
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands for an image in results."""

    key: str
    """The same for all of its group."""
    images: int
    """How many there are of it."""


class Duplicates(Transactions):
    """Every method is one transaction."""

    def groups(
        self,
        level: Kind = COLLAPSED,
        *,
        after: int = 0,
        limit: int = 100,
        only: Kind | None = None,
        undecided: bool = False,
    ) -> list[DuplicateGroup]:
        """The first `limit` groups of that level above the id `after`, of two images or more.

        `only`: those whose own class that is; `undecided`: those of which nobody has said what to keep.
        """
        query = selected(level, only=only, undecided=undecided).where(duplicate_group.c.id > after).limit(limit)
        with self._reading() as connection:
            ids = list(connection.scalars(query.order_by(duplicate_group.c.id)))
            return [
                found
                for chunk in statements.chunks(ids, statements.IN_LIST)
                for found in _read(connection, list(chunk), level)
            ]

    def all_groups(self, level: Kind = COLLAPSED, *, only: Kind | None = None) -> Iterator[DuplicateGroup]:
        """Page by page."""
        after = 0
        while page := self.groups(level, after=after, only=only):
            yield from page
            after = page[-1].id

    def counts(self, level: Kind = COLLAPSED, *, undecided: bool = False) -> dict[Kind, int]:
        """How many groups of that level each class has of its own."""
        with self._reading() as connection:
            return {KINDS[place]: number for place, number in connection.execute(counted(level, undecided=undecided))}

    def groups_of(self, ids: Sequence[int], level: Kind = COLLAPSED) -> list[DuplicateGroup]:
        """Those that any of these images is in."""
        member, group = duplicate_member.c, duplicate_group.c
        query = (
            sa.select(member.group_id)
            .distinct()
            .join(duplicate_group, group.id == member.group_id)
            .join(image, image.c.content_hash == member.content_hash)
            .where(group.level == level, image.c.id.in_([int(id_) for id_ in ids]))
            .order_by(member.group_id)
        )
        with self._reading() as connection:
            found = _read(connection, list(connection.scalars(query)), level)
        return [group for group in found if len(group.members) > 1]

    def collapsed_with(self, id: int) -> list[ImageRecord]:
        """All that `shown` collapses to one with this image, itself among them: of its group those to keep first.

        Raises ImageNotFound.
        """
        with self._reading() as connection:
            content = _contents_of(connection, [id])[id]
        if groups := self.groups_of([id]):
            return [member.image for group in groups for member in group.members]
        with self._reading() as connection:
            query = statements.RECORDS.where(image.c.content_hash == content).order_by(image.c.id)
            return [ImageRecord(*row) for row in connection.execute(query)]

    def set_apart(self, ids: Sequence[int], others: Sequence[int] | None = None, *, undo: bool = False) -> None:
        """Say that these images are no duplicates of each other, or take that back; it holds for every later run.

        With `others`: that each of these is none of each of those. Raises ImageNotFound, and InvalidRequest for fewer
        than two, more than `MOST_APART`, or copies of one file.
        """
        named = {*ids, *(others or ())}
        if not 2 <= len(named) <= MOST_APART:
            raise InvalidRequest(f"{len(named)} images were given; say of 2 to {MOST_APART} that they are apart")
        pairs = combinations(set(ids), 2) if others is None else product(set(ids), set(others) - set(ids))
        with self._writing() as connection:
            contents = _contents_of(connection, [*ids, *(others or ())])
            divided = {tuple(sorted((contents[one], contents[other]))) for one, other in pairs}
            if any(first == second for first, second in divided):
                raise InvalidRequest(
                    "two of these images have the same bytes: they cannot be set apart; keep both instead"
                )
            for first, second in sorted(divided):
                _delete(connection, duplicate_apart, first=first, second=second)
                if not undo:
                    row = {"first": first, "second": second, "decided_at": datetime.now(UTC)}
                    connection.execute(sa.insert(duplicate_apart).values(row))
            regroup(connection, sorted(set(contents.values())))

    def keep(self, ids: Sequence[int], *, undo: bool = False) -> None:
        """Say that these images are to be kept, or take that back. Raises ImageNotFound.

        Of copies with the same bytes it is one that is kept: the one that was named last, while it is there.
        """
        with self._writing() as connection:
            for id_, content in _contents_of(connection, ids).items():
                _delete(connection, duplicate_kept, content_hash=content)
                if not undo:
                    row = {"content_hash": content, "image_id": id_, "decided_at": datetime.now(UTC)}
                    connection.execute(sa.insert(duplicate_kept).values(row))

    def shown(self, ids: Sequence[int]) -> dict[int, Shown]:
        """Of each image that is there, what it is collapsed to: its group, else its content."""
        member, group = duplicate_member.c, duplicate_group.c
        grouped = (
            sa.select(member.content_hash, member.group_id)
            .join(duplicate_group, group.id == member.group_id)
            .where(group.level == COLLAPSED)
            .subquery()
        )
        query = sa.select(image.c.id, image.c.content_hash, grouped.c.group_id).select_from(
            image.outerjoin(grouped, grouped.c.content_hash == image.c.content_hash)
        )
        with self._reading() as connection:
            rows = [
                row
                for chunk in statements.chunks([int(id_) for id_ in ids], statements.IN_LIST)
                for row in connection.execute(query.where(image.c.id.in_(chunk)))
            ]
            members = sa.join(duplicate_member, image, image.c.content_hash == member.content_hash)
            groups = {row.group_id for row in rows if row.group_id is not None}
            in_groups = _counted(connection, member.group_id, members, sorted(groups))
            alone = {row.content_hash for row in rows if row.group_id is None}
            copies = _counted(connection, image.c.content_hash, image, sorted(alone))
        return {
            row.id: Shown(row.content_hash, copies[row.content_hash])
            if row.group_id is None
            else Shown(f"group {row.group_id}", in_groups[row.group_id])
            for row in rows
        }


def other_files(group: DuplicateGroup) -> list[bytes]:
    """Paths of those not to keep, as the file system has them.

    What lies in an archive, a list or a video is left out: who removes by these names must not remove all of that.
    """
    return [
        os.fsencode(member.image.path) for member in group.members if not member.keep and is_file(member.image.path)
    ]


def _counted(
    connection: sa.Connection, column: sa.ColumnElement[Any], source: Any, values: list[Any]
) -> dict[Any, int]:
    """How many rows there are of each of the values."""
    return {
        value: number
        for chunk in statements.chunks(values, statements.IN_LIST)
        for value, number in connection.execute(
            sa.select(column, sa.func.count()).select_from(source).where(column.in_(chunk)).group_by(column)
        )
    }


def _read(connection: sa.Connection, ids: list[int], level: Kind) -> list[DuplicateGroup]:
    member, kept = duplicate_member.c, duplicate_kept.c
    query = (
        sa.select(*statements.RECORDS.selected_columns, member.group_id, kept.image_id.label("kept_id"))
        .select_from(duplicate_member)
        .join(image, image.c.content_hash == member.content_hash)
        .outerjoin(duplicate_kept, kept.content_hash == member.content_hash)
        .where(member.group_id.in_(ids))
        .order_by(image.c.id)
    )
    images: dict[int, list[tuple[ImageRecord, int | None]]] = {id_: [] for id_ in ids}
    for row in connection.execute(query):
        images[row.group_id].append((ImageRecord(*row[:-2]), row.kept_id))
    others, link = duplicate_member.alias(), duplicate_link.c
    inside = (
        sa.select(member.group_id, link.first, link.second, link.kind, link.confidence)
        .join(duplicate_link, link.first == member.content_hash)
        .join(others, sa.and_(others.c.content_hash == link.second, others.c.group_id == member.group_id))
        .where(member.group_id.in_(ids), link.kind.in_(within(level)))
    )
    links: dict[int, list[Link]] = {id_: [] for id_ in ids}
    for group_id, *fields in connection.execute(inside):
        links[group_id].append(Link(*fields))
    return [_group(id_, images[id_], links[id_]) for id_ in ids]


def _group(id: int, images: list[tuple[ImageRecord, int | None]], links: list[Link]) -> DuplicateGroup:
    there = {record.id for record, _ in images}
    oldest: dict[str, int] = {}
    for record, _ in images:  # ascending by id
        oldest.setdefault(record.content_hash, record.id)
    decided = {
        kept_id if kept_id in there else oldest[record.content_hash]
        for record, kept_id in images
        if kept_id is not None
    }
    best = min(images, key=lambda found: _order(found[0]))[0].id
    keep = decided or {best}
    members = [Member(record, record.id in decided, record.id in keep) for record, _ in images]
    members.sort(key=lambda found: (not found.keep, _order(found.image)))
    kinds: list[Kind] = [link.kind for link in links]
    return DuplicateGroup(
        id, loosest(kinds), min((link.confidence for link in links), default=1.0), tuple(members), tuple(links)
    )


def _order(record: ImageRecord) -> tuple[int, bool, int, int]:
    """The better pictures first: with more pixels, with the camera's date, with more bytes, and the older ones."""
    return -record.width * record.height, record.taken_at is None, -record.size, record.id


def _contents_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Raises ImageNotFound."""
    found = statements.hashes_of(connection, list(dict.fromkeys(ids)))
    for id_ in ids:
        if id_ not in found:
            raise ImageNotFound(id_)
    return found


def _delete(connection: sa.Connection, table: sa.Table, **where: object) -> None:
    connection.execute(sa.delete(table).where(*(table.c[name] == value for name, value in where.items())))
