"""Which groups of duplicates are meant: of a class of their own, or those that wait for a decision."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from indexer.duplicates.kinds import KINDS, Kind, within
from indexer.schema import duplicate_group, duplicate_kept, duplicate_link, duplicate_member, image


def selected(level: Kind, *, only: Kind | None = None, undecided: bool = False) -> sa.Select[Any]:
    """Ids of groups of that level, of two images or more: those whose own class is `only`, and that nobody decided."""
    query = _groups(level, undecided)
    if only is None:
        return query
    loosest = _loosest(level)
    query = query.outerjoin(loosest, loosest.c.group_id == duplicate_group.c.id)
    return query.where(_place(loosest) == KINDS.index(only))


def counted(level: Kind, *, undecided: bool = False) -> sa.Select[int, int]:
    """How many there are of each class: its place in `KINDS`, and the number."""
    groups, loosest = _groups(level, undecided).subquery(), _loosest(level)
    query = sa.select(_place(loosest), sa.func.count()).select_from(groups)
    return query.outerjoin(loosest, loosest.c.group_id == groups.c.id).group_by(_place(loosest))


def _groups(level: Kind, undecided: bool) -> sa.Select[Any]:
    member, group, kept = duplicate_member.c, duplicate_group.c, duplicate_kept.c
    query = (
        sa.select(group.id)
        .join(duplicate_member, member.group_id == group.id)
        .join(image, image.c.content_hash == member.content_hash)
        .outerjoin(duplicate_kept, kept.content_hash == member.content_hash)
        .where(group.level == level)
        .group_by(group.id)
        .having(sa.func.count() > 1)
    )
    return query.having(sa.func.count(kept.content_hash) == 0) if undecided else query


def _loosest(level: Kind) -> sa.Subquery:
    """`group_id` and `place`, in `KINDS`, of the loosest link between two of the group's contents."""
    member, link, other = duplicate_member.c, duplicate_link.c, duplicate_member.alias()
    place = sa.case({kind: KINDS.index(kind) for kind in within(level)}, value=link.kind)
    return (
        sa.select(member.group_id, sa.func.max(place).label("place"))
        .join(duplicate_group, duplicate_group.c.id == member.group_id)
        .join(duplicate_link, link.first == member.content_hash)
        .join(other, sa.and_(other.c.content_hash == link.second, other.c.group_id == member.group_id))
        .where(duplicate_group.c.level == level, link.kind.in_(within(level)))
        .group_by(member.group_id)
        .subquery()
    )


def _place(loosest: sa.Subquery) -> sa.ColumnElement[int]:
    """Without a link they have the same bytes."""
    return sa.func.coalesce(loosest.c.place, KINDS.index("identical"))
