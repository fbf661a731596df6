"""The roots of a collection: where its images come from, to be looked at again as they were. Rows of its catalog."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from indexer.errors import InvalidRequest
from indexer.schema import root
from indexer.transactions import Transactions

FOLDER = "folder"
RootState = Literal["online", "offline"]
Key = tuple[str, str]
"""Path and kind: a folder may be one of pictures, and one of videos."""


@dataclass(frozen=True, slots=True)
class Root:
    """What `sightline index` was given. Of roots of a kind within each other, an image belongs to the innermost."""

    path: str
    """Absolute, or the URL of an object store."""
    kind: str = FOLDER
    """Of its source."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of its source, where that is no folder; see `NamedSource`."""
    include: tuple[str, ...] = ()
    """Patterns as in .gitignore: if there are any, only what fits one is indexed."""
    exclude: tuple[str, ...] = ()
    """Patterns of what is not."""
    mounts: tuple[str, ...] = ()
    """Folders in it where another disk began when it was last looked at."""
    state: RootState = "online"
    """`offline`: a disk that is unplugged, a share that is not mounted. Its images stay."""
    reason: str = ""
    """Why it is offline."""
    seen_at: datetime | None = None
    """When it was last online; UTC, like the next."""
    synced_at: datetime | None = None
    """When it was last synced as a whole."""

    @property
    def key(self) -> Key:
        return self.path, self.kind

    def holds(self, path: str) -> bool:
        """Whether the path lies in it, or is it."""
        return path == self.path or path.startswith(self.prefix)

    @property
    def prefix(self) -> str:
        """What the paths of all that is in it begin with."""
        return self.path.rstrip(os.sep) + os.sep


class Roots(Transactions):
    """Every method is one transaction."""

    def all(self) -> list[Root]:
        """In the order of their paths."""
        with self._reading() as connection:
            return [_root(row) for row in connection.execute(sa.select(*_COLUMNS).order_by(root.c.path, root.c.kind))]

    def get(self, path: str, kind: str | None = None) -> Root:
        """Raises InvalidRequest, also where there are several of that path and no kind is given."""
        found = [one for one in self.all() if one.path == path and kind in (None, one.kind)]
        if len(found) > 1:
            kinds = ", ".join(one.kind for one in found)
            raise InvalidRequest(f"{path!r} was indexed as more than one kind ({kinds}): say which one with --kind")
        if not found:
            raise InvalidRequest(f"{path!r} is no root of this collection; `sightline roots` lists them")
        return found[0]

    def put(self, *new: Root) -> None:
        """New roots, or other patterns and options of known ones."""
        with self._writing() as connection:
            for one in new:
                values = {"options": dict(one.options), "include": list(one.include), "exclude": list(one.exclude)}
                changed = connection.execute(sa.update(root).where(*_is(one)).values(**values))
                if not changed.rowcount:
                    first = {"mounts": list(one.mounts), "state": one.state, "reason": one.reason, "added_at": _now()}
                    connection.execute(sa.insert(root).values(path=one.path, kind=one.kind, **values, **first))

    def online(self, *there: Root, mounts: Sequence[str] | None) -> None:
        """They were there; with `mounts`, all of them was looked at, and these were found."""
        values: dict[str, object] = {"state": "online", "reason": "", "seen_at": _now()}
        if mounts is not None:
            values |= {"mounts": sorted(mounts), "synced_at": _now()}
        self._note(there, values)

    def offline(self, away: Root, reason: str) -> None:
        """It was not there."""
        self._note([away], {"state": "offline", "reason": reason})

    def forget(self, one: Root) -> None:
        """What was indexed from it is not touched."""
        with self._writing() as connection:
            connection.execute(sa.delete(root).where(*_is(one)))

    def _note(self, known: Sequence[Root], values: dict[str, object]) -> None:
        with self._writing() as connection:
            for one in known:
                connection.execute(sa.update(root).where(*_is(one)).values(**values))


def innermost(roots: Sequence[Root], path: str, kind: str = FOLDER) -> Root | None:
    """The root of that kind that the path belongs to."""
    holding = (root for root in roots if root.kind == kind and root.holds(path))
    return max(holding, key=lambda root: len(root.path), default=None)


def within(roots: Sequence[Root], outer: Root) -> list[Root]:
    """The folders below another one that are roots: what is in them is not the outer one's."""
    return [root for root in roots if root.kind == FOLDER and root.path != outer.path and outer.holds(root.path)]


def _is(one: Root) -> tuple[sa.ColumnElement[bool], ...]:
    return root.c.path == one.path, root.c.kind == one.kind


_COLUMNS = tuple(root.c[name] for name in Root.__dataclass_fields__)
_LISTS = ("include", "exclude", "mounts")


def _root(row: sa.Row[Any]) -> Root:
    fields: dict[str, Any] = {name: getattr(row, name) for name in Root.__dataclass_fields__}
    return Root(**fields | {name: tuple(fields[name]) for name in _LISTS})


def _now() -> datetime:
    return datetime.now(UTC)
