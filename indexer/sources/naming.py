"""What a person names becomes a source: its kind is found, and what makes it again can be kept with a job."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from indexer.errors import InvalidRequest, SourceNotFound
from indexer.sources.address import (
    LIST_SUFFIXES,
    TAR_SUFFIXES,
    VIDEO_SUFFIXES,
    ZIP_SUFFIXES,
    is_remote,
)
from indexer.sources.folder import FolderSource
from indexer.sources.source import IMAGE_SUFFIXES, ImageSource, has_suffix

if TYPE_CHECKING:
    from indexer.config import Settings

SourceKind = Literal["folder", "tar", "list", "zip", "video", "remote"]
KINDS: Final = get_args(SourceKind)
FAR_THREADS: Final = 16
TOGETHER: Final = frozenset({"tar", "zip", "video"})
"""Kinds of which any number of files are one source."""
_BY_SUFFIX: Final[dict[SourceKind, frozenset[str]]] = {
    "tar": TAR_SUFFIXES,
    "zip": ZIP_SUFFIXES,
    "list": LIST_SUFFIXES,
    "video": VIDEO_SUFFIXES,
}
_OPTIONS: Final[dict[str, SourceKind]] = {"column": "list", "private_hosts": "list", "every": "video"}
_COMPRESSED: Final = (".tar.bz2", ".tar.xz", ".tar.zst")


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source that is not open yet."""

    kind: SourceKind
    places: tuple[str, ...]
    """Absolute paths, or the URL of an object store."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """`column` and `private_hosts` of a list, `every` of videos (seconds); each only where it was asked for."""

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> NamedSource:
        """From what was kept with a job."""
        if "folder" in arguments:
            return cls("folder", (arguments["folder"],))
        return cls(arguments["kind"], tuple(arguments["places"]), arguments["options"])

    def arguments(self) -> dict[str, Any]:
        """What a job keeps."""
        if self.kind == "folder":
            return {"folder": self.places[0]}
        return {"places": list(self.places), "kind": self.kind, "options": dict(self.options)}

    def open(self, settings: Settings) -> ImageSource:
        """Raises SourceNotFound, and BrokenInstallation where an extra is not installed."""
        limits, options = settings.limits, self.options
        match self.kind:
            case "folder":
                return FolderSource(self.places[0], max_bytes=limits.max_bytes)
            case "tar":
                from indexer.sources.tar import tar_source

                return tar_source(self.places, max_bytes=limits.max_bytes)
            case "zip":
                from indexer.sources.zip import zip_source

                return zip_source(self.places, max_bytes=limits.max_bytes)
            case "list":
                from indexer.sources.listed import ListSource

                return ListSource(self.places[0], column=options.get("column"), limits=limits)
            case "video":
                from indexer.sources.video import EVERY_SECONDS, VideoSource

                every = options.get("every", EVERY_SECONDS)
                return VideoSource(self.places, cache=settings.cache.expanduser() / "frames", every=every)
            case "remote":
                from indexer.sources.remote import RemoteSource

                return RemoteSource(self.places[0], max_bytes=limits.max_bytes)

    def tuned(self, settings: Settings) -> Settings:
        """The settings that this source is indexed with: more threads where they mostly wait for other machines."""
        changes: dict[str, Any] = {}
        if self.kind in ("list", "remote") and "threads" not in settings.model_fields_set:
            changes["threads"] = max(settings.threads, FAR_THREADS)
        if hosts := self.options.get("private_hosts"):
            changes["private_hosts"] = ",".join(filter(None, [settings.private_hosts, hosts]))
        return settings.model_copy(update=changes)


def named_sources(
    places: Sequence[str],
    *,
    kind: str | None = None,
    column: str | None = None,
    private_hosts: Sequence[str] = (),
    every: float | None = None,
) -> list[NamedSource]:
    """In the order of the command; archives and videos beside each other are one source.

    Raises SourceNotFound, and InvalidRequest for options that do not go together.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidRequest(f"--kind cannot be {kind!r}; it is one of {', '.join(KINDS)}")
    given = {"column": column, "private_hosts": ",".join(private_hosts) or None, "every": every}
    found = [_named(place, kind) for place in places]
    for option, of_kind in _OPTIONS.items():
        if given[option] is not None and of_kind not in (kind for kind, _ in found):
            flag = f"--{option.removesuffix('s').replace('_', '-')}"
            raise InvalidRequest(f"{flag} is for a source of kind {of_kind}, and none is named")
    sources = []
    for kind_of_group, group in groupby(found, key=lambda pair: pair[0]):
        options = {
            option: given[option]
            for option, of_kind in _OPTIONS.items()
            if of_kind == kind_of_group and given[option] is not None
        }
        paths = tuple(place for _, place in group)
        if kind_of_group in TOGETHER:
            sources.append(NamedSource(kind_of_group, paths, options))
        else:
            sources += [NamedSource(kind_of_group, (path,), options) for path in paths]
    return sources


def _named(place: str, wanted: str | None) -> tuple[SourceKind, str]:
    if not place:  # abspath would take an unset variable of a script for the current folder
        raise SourceNotFound("", "no folder is named")
    if is_remote(place):
        if place.startswith(("http://", "https://")):
            raise SourceNotFound(place, "URLs are read from a list: write them into a .csv or .txt and index that")
        return "remote", place if place.endswith("://") else place.rstrip("/")
    path = os.path.abspath(place)  # noqa: PTH100  (links are kept)
    return next((kind for kind in KINDS if kind == wanted), None) or _kind_of(path), path


def _kind_of(path: str) -> SourceKind:
    """By its name; a folder that holds nothing but shards is one of shards."""
    if Path(path).is_dir():
        return "tar" if _holds_only_shards(path) else "folder"
    if path.lower().endswith(_COMPRESSED):
        raise SourceNotFound(
            path, "it cannot be read from the middle, as a .tar or .tar.gz can; pack it as one of these"
        )
    kinds = (kind for kind, suffixes in _BY_SUFFIX.items() if has_suffix(Path(path).name, suffixes))
    return next(kinds, "folder")


def _holds_only_shards(folder: str) -> bool:
    """Beside other files, but with no folder and no picture."""
    shards = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir() or has_suffix(entry.name, IMAGE_SUFFIXES):
                    return False
                shards += has_suffix(entry.name, TAR_SUFFIXES)
    except OSError:
        return False
    return shards > 0
