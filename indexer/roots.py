"""The roots of a collection: where its images come from, to be looked at again as they were. Rows of its catalog."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from indexer.errors import InvalidRequest
from indexer.schema import root
from indexer.transactions import Transactions

FOLDER = "folder"
RootState = Literal["online", "offline"]


@dataclass(frozen=True, slots=True)
class Root:
    """What `sightline index` was given. Of roots within each other, an image belongs to the innermost."""

    path: str
    """Absolute."""
    kind: str = FOLDER
    """Of its source."""
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
            return [_root(row) for row in connection.execute(sa.select(*_COLUMNS).order_by(root.c.path))]

    def get(self, path: str) -> Root:
        """Raises InvalidRequest."""
        for found in self.all():
            if found.path == path:
                return found
        raise InvalidRequest(f"{path!r} is no root of this collection; `sightline roots` lists them")

    def put(self, new: Root) -> None:
        """A new root, or other patterns and kind of a known one."""
        values = {"kind": new.kind, "include": list(new.include), "exclude": list(new.exclude)}
        with self._writing() as connection:
            changed = connection.execute(sa.update(root).where(root.c.path == new.path).values(**values))
            if not changed.rowcount:
                first = {"mounts": list(new.mounts), "state": new.state, "reason": new.reason, "added_at": _now()}
                connection.execute(sa.insert(root).values(path=new.path, **values, **first))

    def online(self, path: str, mounts: Sequence[str] | None) -> None:
        """It was there; with `mounts`, all of it was looked at, and these were found."""
        values: dict[str, object] = {"state": "online", "reason": "", "seen_at": _now()}
        if mounts is not None:
            values |= {"mounts": sorted(mounts), "synced_at": _now()}
        self._note(path, values)

    def offline(self, path: str, reason: str) -> None:
        """It was not there."""
        self._note(path, {"state": "offline", "reason": reason})

    def forget(self, path: str) -> None:
        """What was indexed from it is not touched."""
        with self._writing() as connection:
            connection.execute(sa.delete(root).where(root.c.path == path))

    def _note(self, path: str, values: dict[str, object]) -> None:
        with self._writing() as connection:
            connection.execute(sa.update(root).where(root.c.path == path).values(**values))


def innermost(roots: Sequence[Root], path: str) -> Root | None:
    """The root that the path belongs to."""
    return max((root for root in roots if root.holds(path)), key=lambda root: len(root.path), default=None)


def within(roots: Sequence[Root], outer: Root) -> list[Root]:
    """The roots below another one: what is in them is not the outer one's."""
    return [root for root in roots if root.path != outer.path and outer.holds(root.path)]


_COLUMNS = tuple(root.c[name] for name in Root.__dataclass_fields__)
_LISTS = ("include", "exclude", "mounts")


def _root(row: sa.Row[Any]) -> Root:
    fields: dict[str, Any] = {name: getattr(row, name) for name in Root.__dataclass_fields__}
    return Root(**fields | {name: tuple(fields[name]) for name in _LISTS})


def _now() -> datetime:
    return datetime.now(UTC)
