"""The walk of a folder: what of it is looked at, in which order, and what cannot be."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexer.sidecars import SIDECAR_SUFFIXES, pictures_of, sidecar_names
from indexer.sources.address import MISLEADING, is_misleading
from indexer.sources.files import reason_of
from indexer.sources.patterns import Patterns
from indexer.sources.source import IMAGE_SUFFIXES, SideCar, SourceFile, SourceProblem

_SKIPPED_FOLDERS = frozenset({"@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
"""A network drive's own thumbnails, and what operating systems keep for themselves at the top of a disk."""

_LIBRARY_MARK, _LIBRARY_FOLDERS = "catalog.db", frozenset({"thumbnails", "vectors", "queries"})
"""A collection kept among the pictures: its thumbnails are not to be indexed as pictures."""

Listed = SourceFile | SourceProblem


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a folder, to be looked at alone."""

    path: str
    """A file, or a folder with all that is in it; either may be gone."""
    files: Iterator[Listed]
    """What is there now, in the order of a walk."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a folder is looked at."""

    root: str
    patterns: Patterns = field(default_factory=Patterns)
    others: frozenset[str] = frozenset()
    """Folders in it that are not its own: they are left out."""
    mounts: frozenset[str] = frozenset()
    """Folders where another disk began before. If one is empty now its disk is away, and nothing in it is gone."""

    def excludes(self, path: str) -> bool:
        """Whether the patterns leave out that file."""
        if not self.patterns:
            return False
        below = self._below(path)
        folders = below.split("/")[:-1]
        return not self.patterns.wants(below) or not all(
            self.patterns.enters("/".join(folders[: depth + 1])) for depth in range(len(folders))
        )

    def wants(self, path: str) -> bool:
        """A file, of a folder that is entered."""
        return not self.patterns or self.patterns.wants(self._below(path))

    def enters(self, path: str) -> bool:
        """A folder, of one that is entered. None of it is, below the root, that is hidden or a system's own."""
        if is_skipped(os.path.basename(path)) or path in self.others:  # noqa: PTH119 - a million paths may come
            return False
        return not self.patterns or self.patterns.enters(self._below(path))

    def _below(self, path: str) -> str:
        return path[len(self.root.rstrip("/")) + 1 :]


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
    kept: list[os.DirEntry[str]]
    """All that is in it but what is always left out."""
    entries: Iterator[_Found]


class FolderWalk:
    """Holds the names of one folder at each level in memory, and looks at candidates and side-cars only."""

    def __init__(self, rules: Rules, mounts: set[str]) -> None:
        """Folders where another disk begins, or began before, are added to `mounts` when they are met."""
        self._rules, self._mounts = rules, mounts

    def all(self) -> Iterator[Listed]:
        """Everything, in ascending order of `os.fsencode(path)`."""
        return self._walked(_Folder(self._rules.root), [])

    def parts(self, paths: Iterable[str]) -> Iterator[Part]:
        """These files and folders alone, with the pictures of what is a side-car among them."""
        chosen = _topmost(path for path in paths if self._is_own(path))
        folders: dict[str, set[str]] = {}
        for path in chosen:
            if path == self._rules.root:
                yield Part(path, self.all())
            else:
                folder, name = os.path.split(path)
                folders.setdefault(folder, set()).add(name)
        for folder in sorted(folders, key=os.fsencode):
            yield from self._parts_of(folder, folders[folder])

    def _is_own(self, path: str) -> bool:
        root = self._rules.root
        inside = path == root or path.startswith(root.rstrip("/") + "/")
        return inside and not any(path == other or path.startswith(f"{other}/") for other in self._rules.others)

    def _parts_of(self, folder: str, names: set[str]) -> Iterator[Part]:
        """What has these names in one folder; if the folder itself is gone, all of it."""
        levels: list[_Level] = []
        for above in self._way_to(folder):
            missing = _is_missing(above)
            if missing and levels:
                yield Part(above, iter(()))
                return
            if missing or (levels and not (self._rules.enters(above) and _is_kept(above, levels[-1]))):
                problem = [SourceProblem(above, "the folder is not there")] if missing else []
                for name in sorted(names, key=os.fsencode):
                    yield Part(_join(folder, name), iter(problem))
                return
            if problem_met := self._enter(above, levels):
                yield Part(above, iter([problem_met]))
                return
        yield from self._named(levels, names)

    def _way_to(self, folder: str) -> Iterator[str]:
        """The folders from the root down to that one."""
        place = self._rules.root
        yield place
        for name in Path(folder).relative_to(place).parts:
            place = _join(place, name)
            yield place

    def _named(self, levels: list[_Level], names: set[str]) -> Iterator[Part]:
        """Of the folder that was entered last. `levels` are those above what is looked at."""
        kept = levels[-1].kept
        there = frozenset(entry.name for entry in kept if is_candidate(entry.name))
        wanted = names.union(*(pictures_of(name, there) for name in names))
        chosen = self._found([entry for entry in kept if entry.name in wanted], _sidecars_in(kept))
        found = {os.path.basename(entry.path): entry for entry in chosen}  # noqa: PTH119
        for name in sorted(wanted, key=os.fsencode):
            path, entry = _join(levels[-1].path, name), found.get(name)
            yield Part(path, self._walked(entry, levels) if entry else iter(()))

    def _walked(self, found: _Found | None, above: list[_Level]) -> Iterator[Listed]:
        levels = list(above)
        while found is not None:
            if isinstance(found, _Folder):
                found = self._enter(found.path, levels)
            if isinstance(found, SourceFile | SourceProblem):
                yield found
            found = None
            while len(levels) > len(above) and (found := next(levels[-1].entries, None)) is None:
                levels.pop()

    def _enter(self, path: str, levels: list[_Level]) -> SourceProblem | None:
        """Goes one level down, or says why not."""
        if levels and is_misleading(path):
            return SourceProblem(path, MISLEADING)
        try:
            status = Path(path).stat()
            identity = status.st_dev, status.st_ino
            for level in levels:
                if level.identity == identity:
                    return SourceProblem(path, f"a link loop: it leads back to {level.path!r}")
            with os.scandir(path) as entries:
                kept = [entry for entry in entries if not is_skipped(entry.name)]
        except OSError as error:
            return SourceProblem(path, f"the folder cannot be listed ({reason_of(error)})")
        if levels and not kept and path in self._rules.mounts:
            self._mounts.add(path)
            return SourceProblem(path, "a disk or share was mounted here, and the folder is empty now")
        if levels and status.st_dev != levels[-1].identity[0]:
            self._mounts.add(path)
        if any(entry.name == _LIBRARY_MARK for entry in kept):
            kept = [entry for entry in kept if entry.name not in _LIBRARY_FOLDERS]
        levels.append(_Level(identity, path, kept, self._found(kept, _sidecars_in(kept))))
        return None

    def _found(self, entries: Iterable[os.DirEntry[str]], sidecars: Mapping[str, os.DirEntry[str]]) -> Iterator[_Found]:
        for entry in sorted(entries, key=_order):
            found = self._looked_at(entry, sidecars)
            if found:
                yield found

    def _looked_at(self, entry: os.DirEntry[str], sidecars: Mapping[str, os.DirEntry[str]]) -> _Found | None:
        """What an entry is; None for what is neither a folder nor called like an image, and for what is not wanted."""
        try:
            if entry.is_dir():
                return _Folder(entry.path) if self._rules.enters(entry.path) else None
            if not is_candidate(entry.name) and not entry.is_symlink():
                return None
            status = entry.stat()
        except FileNotFoundError:
            if entry.is_symlink():  # whatever its name: images that were indexed may have been behind it
                return SourceProblem(entry.path, f"a dangling link: {_target(entry.path)!r} is not there")
            return None  # removed since the folder was listed
        except OSError as error:
            return SourceProblem(entry.path, f"cannot be looked at ({reason_of(error)})")
        if not is_candidate(entry.name) or not self._rules.wants(entry.path):
            return None
        if not stat.S_ISREG(status.st_mode):
            return SourceProblem(entry.path, "called like an image, but it is a pipe, socket or device")
        beside = tuple(_sidecars_of(entry.name, sidecars)) if sidecars else ()
        return SourceFile(entry.path, status.st_size, status.st_mtime_ns, beside)


def is_skipped(name: str) -> bool:
    """Hidden ones, among them the `._name` files that macOS leaves beside pictures, and system folders."""
    return name.startswith(".") or name in _SKIPPED_FOLDERS


def is_candidate(name: str) -> bool:
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and suffix.lower() in IMAGE_SUFFIXES


def is_sidecar(name: str) -> bool:
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and suffix.lower() in SIDECAR_SUFFIXES


def _join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _topmost(paths: Iterable[str]) -> list[str]:
    """Without those that lie in another one."""
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda path: os.fsencode(path.rstrip("/") + "/")):
        if not kept or not path.startswith(kept[-1].rstrip("/") + "/"):
            kept.append(path)
    return kept


def _is_kept(folder: str, level: _Level) -> bool:
    """Whether it is among what is looked at in the folder above; one that is not there any more is not."""
    name = os.path.basename(folder)  # noqa: PTH119
    return any(entry.name == name for entry in level.kept)


def _is_missing(path: str) -> bool:
    """That it cannot be looked at is another thing."""
    try:
        Path(path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _sidecars_of(picture: str, sidecars: Mapping[str, os.DirEntry[str]]) -> Iterator[SideCar]:
    for name in sidecar_names(picture):
        entry = sidecars.get(name)
        if entry is None:
            continue
        try:
            status = entry.stat()
        except OSError:  # removed since the folder was listed, or a link that leads nowhere
            continue
        if stat.S_ISREG(status.st_mode):
            yield SideCar(entry.path, status.st_size, status.st_mtime_ns)


def _sidecars_in(entries: Iterable[os.DirEntry[str]]) -> dict[str, os.DirEntry[str]]:
    return {_lower_suffix(entry.name): entry for entry in entries if is_sidecar(entry.name)}


def _lower_suffix(name: str) -> str:
    """`A.XMP`, as some cameras have it, is a side-car as `A.xmp` is."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{dot}{suffix.lower()}"


def _order(entry: os.DirEntry[str]) -> bytes:
    """The byte order of full paths: what lies in a folder sorts by the folder's name and a slash."""
    return os.fsencode(entry.name + os.sep if _is_folder(entry) else entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError:
        return "its target"
