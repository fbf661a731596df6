"""Files that pictures lie in: those that are named, and those below the folders that are named."""

from __future__ import annotations

import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from indexer.errors import SourceNotFound
from indexer.sources.address import MISLEADING, is_misleading
from indexer.sources.files import reason_of, status_of
from indexer.sources.source import SourceFile, SourceProblem, has_suffix

T = TypeVar("T")


class Containers:
    """In the order of what is listed for them: their paths with `mark` behind them.

    Links to files are followed, links to folders are not.
    """

    def __init__(self, places: Sequence[str], *, suffixes: frozenset[str], mark: str) -> None:
        """Raises SourceNotFound."""
        self._suffixes, self._mark = suffixes, mark
        named = {os.path.abspath(place) for place in places}  # noqa: PTH100  (links are kept)
        self._folders = {place for place in named if Path(place).is_dir()}
        self._files = {place for place in named - self._folders if not self._is_in_folder(place)}
        self._folders -= {place for place in self._folders if place != "/" and self._is_in_folder(_folder_of(place))}
        for place in sorted(self._files):
            self._check(place)

    @property
    def root(self) -> str:
        """What all listed paths are below."""
        if len(self._files) == 1 and not self._folders:
            return next(iter(self._files)) + self._mark.rstrip("/")
        return os.path.commonpath([*self._folders, *map(_folder_of, self._files)])

    def has(self, container: str) -> bool:
        """Whether it is one of them, there or not."""
        return container in self._files or self._is_in_folder(_folder_of(container))

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        """See `ImageSource`. The files themselves, opened by nobody yet."""
        marks = {**dict.fromkeys(self._folders, "/"), **dict.fromkeys(self._files, self._mark)}
        for place in sorted(marks, key=lambda place: os.fsencode(place + marks[place])):
            if place in self._folders:
                yield from self._below(place)
            else:
                yield _looked_at(place)

    def _check(self, place: str) -> None:
        """Raises SourceNotFound."""
        if not Path(place).is_file():
            raise SourceNotFound(place, "not a file" if os.path.lexists(place) else "there is no such file")
        if not has_suffix(Path(place).name, self._suffixes):
            raise SourceNotFound(place, f"the name of such a file ends in .{', .'.join(sorted(self._suffixes))}")
        if is_misleading(_folder_of(place)):
            raise SourceNotFound(place, MISLEADING)

    def _below(self, folder: str) -> Iterator[SourceFile | SourceProblem]:
        if is_misleading(folder):
            yield SourceProblem(folder, MISLEADING)
            return
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries if entry.name[0] != "."]
        except OSError as error:
            yield SourceProblem(folder, f"the folder cannot be listed ({reason_of(error)})")
            return
        for name, is_folder in sorted(found, key=lambda one: os.fsencode(one[0] + ("/" if one[1] else self._mark))):
            path = os.path.join(folder, name)  # noqa: PTH118
            if is_folder:
                yield from self._below(path)
            elif has_suffix(name, self._suffixes):
                yield _looked_at(path)

    def paths(self) -> Iterator[str]:
        return (found.path for found in self.walk() if isinstance(found, SourceFile))

    def _is_in_folder(self, path: str) -> bool:
        return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in self._folders)


def _folder_of(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120  (there may be a million)


def _looked_at(place: str) -> SourceFile | SourceProblem:
    try:
        status = status_of(place)
    except OSError as error:
        return SourceProblem(place, f"cannot be looked at ({error.strerror})")
    if status is None:
        return SourceProblem(place, "it vanished")
    if not stat.S_ISREG(status.st_mode):
        return SourceProblem(place, "it is not a regular file")
    return SourceFile(place, status.st_size, status.st_mtime_ns)


class Kept(Generic[T]):
    """What was opened last, each for as long as its file stays as it is: most is asked of one file after the other."""

    def __init__(self, open: Callable[[str], T], most: int = 4) -> None:
        self._open, self._most = open, most
        self._opened: OrderedDict[str, tuple[tuple[int, int], T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: str) -> T:
        """Raises OSError, and what opening raises."""
        status = Path(path).stat()
        version = (status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._opened.get(path)
            if known is None or known[0] != version:
                self._opened[path] = known = (version, self._open(path))
            self._opened.move_to_end(path)
            if len(self._opened) > self._most:
                self._opened.popitem(last=False)
            return known[1]
