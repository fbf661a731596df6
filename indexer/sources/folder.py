"""The image files below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from indexer.errors import SourceNotFound
from indexer.sources.address import MISLEADING, Address, is_file, is_misleading
from indexer.sources.files import Files
from indexer.sources.folder_walk import FolderWalk, Part, Rules, is_candidate, is_skipped
from indexer.sources.patterns import Patterns
from indexer.sources.source import SourceFile, SourceProblem


class FolderSource:
    """All image files below a folder. Links are followed; hidden files and folders (`.name`) are left out."""

    def __init__(
        self,
        root: str | Path,
        *,
        max_bytes: int | None = None,
        patterns: Patterns | None = None,
        others: Iterable[str] = (),
        mounts: Iterable[str] = (),
    ) -> None:
        """Raises `SourceNotFound`. `max_bytes` is the most that `read` takes into memory; the others: see `Rules`."""
        if not str(root):  # abspath would take an unset variable of a script for the current folder
            raise SourceNotFound("", "no folder is named")
        self._root = os.path.abspath(root)  # noqa: PTH100 - resolve() would also replace links by their targets
        self._files = Files(max_bytes)
        if not os.path.lexists(self._root):
            raise SourceNotFound(self._root, "there is no such folder")
        if not Path(self._root).is_dir():
            raise SourceNotFound(self._root, "it is not a folder; give the folder that holds the images")
        if is_misleading(self._root):
            raise SourceNotFound(self._root, MISLEADING)
        self._rules = Rules(self._root, patterns or Patterns(), frozenset(others), frozenset(mounts))
        self._mounts: set[str] = set()

    @property
    def root(self) -> str:
        return self._root

    @property
    def kind(self) -> str:
        return "folder"

    def owns(self, path: str) -> bool:
        """See `ImageSource`. Files, and not what lies in one."""
        return is_file(path)

    @property
    def mounts(self) -> frozenset[str]:
        """Folders where another disk begins, or began before, as far as walks have met them."""
        return frozenset(self._mounts)

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        """See `ImageSource`."""
        return FolderWalk(self._rules, self._mounts).all()

    def parts(self, paths: Iterable[str]) -> Iterator[Part]:
        """These files and folders of it alone; what is not its own is left out."""
        return FolderWalk(self._rules, self._mounts).parts(paths)

    def excludes(self, path: str) -> bool:
        """Whether the patterns leave out that file."""
        return self._rules.excludes(path)

    def count(self) -> int:
        """See `ImageSource`. Reads names only, and does not follow links to folders."""
        total, folders = 0, [self._root]
        while folders:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        if is_skipped(entry.name):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            if self._rules.enters(entry.path):
                                folders.append(entry.path)
                        else:
                            total += is_candidate(entry.name) and self._rules.wants(entry.path)
            except OSError:  # the walk will tell
                continue
        return total

    def read(self, path: str) -> bytes:
        """See `ImageSource`."""
        return self._files.read(Address(path, "file", path))
