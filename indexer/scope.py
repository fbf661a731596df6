"""How far a sync goes: which part of a source it looks at, and what it must not take for moved or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from indexer.sources import Part
from indexer.sources.address import parse


@dataclass(frozen=True, slots=True)
class Scope:
    parts: Iterable[Part] | None = None
    """What is looked at; None: all of the source."""
    others: tuple[str, ...] = ()
    """Folders in it that are not its own: nothing in them is gone."""
    away: tuple[str, ...] = ()
    """Folders and other sources that are not there now, such as disks that are unplugged: nothing in them has moved."""
    excludes: Callable[[str], bool] | None = None
    """Whether a file that is there is left out because somebody wished so: then its image is taken out."""
    accept_removals: bool = False
    """An empty source is what it says, and not a disk that is away."""
    postponed: dict[int, str] | None = None
    """Takes id and path of what is gone, in place of removing it: when other sources were looked at, `sweep` does."""

    def is_other(self, path: str) -> bool:
        return lies_in(path, self.others)

    def is_away(self, path: str) -> bool:
        """Also what lies in an archive, a list or a video that is not there."""
        return lies_in(parse(path).container, self.away)


EVERYTHING = Scope()


def lies_in(path: str, folders: Iterable[str]) -> bool:
    """Whether it is in one of them, or is one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
