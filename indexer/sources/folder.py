"""The image files below a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import SourceNotFound
from indexer.sources.address import MISLEADING, Address, is_misleading, is_plain, parse
from indexer.sources.files import Files, reason_of
from indexer.sources.source import IMAGE_SUFFIXES, SourceFile, SourceProblem

_SKIPPED_FOLDERS = frozenset({"@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
"""A network drive's own thumbnails, and what operating systems keep for themselves at the top of a disk."""

_LIBRARY_MARK, _LIBRARY_FOLDERS = "catalog.db", frozenset({"thumbnails", "vectors", "queries"})
"""A collection kept among the pictures: its thumbnails are not to be indexed as pictures."""


class FolderSource:
    """All image files below a folder. Links are followed; hidden files and folders (`.name`) are left out."""

    def __init__(self, root: str | Path, *, max_bytes: int | None = None) -> None:
        """Raises `SourceNotFound`. `max_bytes` is the most that `read` will take into memory."""
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

    @property
    def root(self) -> str:
        return self._root

    def owns(self, path: str) -> bool:
        """See `ImageSource`. Files, and not what lies in one."""
        return is_plain(path) or parse(path).kind == "file"

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        """See `ImageSource`. Holds the names of one folder at each level in memory; stats candidates only."""
        levels: list[_Level] = []
        found: _Found | None = _Folder(self._root)
        while found or levels:
            if isinstance(found, _Folder):
                found = _enter(found.path, levels)
            if isinstance(found, SourceFile | SourceProblem):
                yield found
            while levels and (found := next(levels[-1].entries, None)) is None:
                levels.pop()
            if not levels:
                return

    def count(self) -> int:
        """See `ImageSource`. Reads names only, and does not follow links to folders."""
        total, folders = 0, [self._root]
        while folders:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        if _skipped(entry.name):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        else:
                            total += _is_candidate(entry.name)
            except OSError:  # the walk will tell
                continue
        return total

    def read(self, path: str) -> bytes:
        """See `ImageSource`."""
        return self._files.read(Address(path, "file", path))


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str


_Found = SourceFile | SourceProblem | _Folder


@dataclass(frozen=True, slots=True)
class _Level:
    """A folder that the walk is in."""

    identity: tuple[int, int]
    """Device and inode: the same folder, by whatever path."""
    path: str
    entries: Iterator[_Found]


def _enter(path: str, levels: list[_Level]) -> SourceProblem | None:
    """Goes one level down, or says why not."""
    try:
        status = Path(path).stat()
        identity = status.st_dev, status.st_ino
        for level in levels:
            if level.identity == identity:
                return SourceProblem(path, f"a link loop: it leads back to {level.path!r}")
        with os.scandir(path) as entries:
            kept = [entry for entry in entries if not _skipped(entry.name)]
    except OSError as error:
        return SourceProblem(path, f"the folder cannot be listed ({reason_of(error)})")
    if any(entry.name == _LIBRARY_MARK for entry in kept):
        kept = [entry for entry in kept if entry.name not in _LIBRARY_FOLDERS]
    levels.append(_Level(identity, path, _found(kept)))
    return None


def _found(entries: list[os.DirEntry[str]]) -> Iterator[_Found]:
    for entry in sorted(entries, key=_order):
        found = _looked_at(entry)
        if found:
            yield found


def _order(entry: os.DirEntry[str]) -> bytes:
    """The byte order of full paths: what lies in a folder sorts by the folder's name and a slash."""
    return os.fsencode(entry.name + os.sep if _is_folder(entry) else entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _looked_at(entry: os.DirEntry[str]) -> _Found | None:
    """What an entry is; None for what is neither a folder nor called like an image."""
    try:
        if entry.is_dir():
            return SourceProblem(entry.path, MISLEADING) if is_misleading(entry.path) else _Folder(entry.path)
        if not _is_candidate(entry.name) and not entry.is_symlink():
            return None
        status = entry.stat()
    except FileNotFoundError:
        if entry.is_symlink():  # whatever its name: images that were indexed may have been behind it
            return SourceProblem(entry.path, f"a dangling link: {_target(entry.path)!r} is not there")
        return None  # removed since the folder was listed
    except OSError as error:
        return SourceProblem(entry.path, f"cannot be looked at ({reason_of(error)})")
    if not _is_candidate(entry.name):
        return None
    if not stat.S_ISREG(status.st_mode):
        return SourceProblem(entry.path, "called like an image, but it is a pipe, socket or device")
    return SourceFile(entry.path, status.st_size, status.st_mtime_ns)


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError:
        return "its target"


def _is_candidate(name: str) -> bool:
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and suffix.lower() in IMAGE_SUFFIXES


def _skipped(name: str) -> bool:
    """Hidden ones, among them the `._name` files that macOS leaves beside pictures, and system folders."""
    return name.startswith(".") or name in _SKIPPED_FOLDERS
