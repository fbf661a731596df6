"""How a picture is addressed: one string, whether it is a file, lies in one, or is a moment of one.

    /photos/beach.jpg                            a file
    /data/shard-000.tar!/000123.jpg              a member of a tar or zip
    /data/list.csv!/https://example.com/a.jpg    an entry of a list, as the list has it
    /videos/dive.mp4#t=000012.480                a frame, by seconds from the start
    s3://bucket/2024/beach.jpg                   an object of a store

What is listed together sorts together, and "below" is a prefix, also inside a file. See docs/decisions/0013.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal, cast
from urllib.parse import unquote, urlsplit

AddressKind = Literal["file", "tar", "zip", "list", "video", "remote"]

TAR_SUFFIXES: Final = frozenset({"tar", "tar.gz", "tgz"})
ZIP_SUFFIXES: Final = frozenset({"zip"})
LIST_SUFFIXES: Final = frozenset({"csv", "tsv", "jsonl", "parquet", "txt"})
VIDEO_SUFFIXES: Final = frozenset(
    {"mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "wmv", "3gp", "mts", "m2ts"}
)

INSIDE: Final = "!"
"""Ends the name of a file that pictures lie in; a slash follows."""

_CONTAINERS: Final = {
    **dict.fromkeys(TAR_SUFFIXES, "tar"),
    **dict.fromkeys(ZIP_SUFFIXES, "zip"),
    **dict.fromkeys(LIST_SUFFIXES, "list"),
}
_REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_INSIDE: Final = re.compile(
    rf"(?P<container>.+?\.(?P<suffix>{'|'.join(map(re.escape, sorted(_CONTAINERS)))})){INSIDE}/(?P<inner>.+)",
    re.IGNORECASE | re.DOTALL,
)
_FRAME: Final = re.compile(
    rf"(?P<container>.+\.(?:{'|'.join(sorted(VIDEO_SUFFIXES))}))#t=(?P<inner>\d{{6,}}\.\d{{3}})",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A path, taken apart."""

    path: str
    kind: AddressKind
    container: str
    """The file that is opened: the picture itself, or what it lies in. The whole address of an object of a store."""
    inner: str = ""
    """Name of the member, entry of the list, or seconds; empty where the picture is a file or an object."""

    @property
    def seconds(self) -> float | None:
        """Of a frame, from the start of its video."""
        return float(self.inner) if self.kind == "video" else None

    @property
    def video_format(self) -> str | None:
        """Of a frame, the suffix of its video in lower case."""
        return self.container.rpartition(".")[2].lower() if self.kind == "video" else None


def parse(path: str) -> Address:
    """By its form alone: nothing is opened."""
    if is_plain(path):
        return Address(path, "file", path)
    if is_remote(path):
        return Address(path, "remote", path)
    if found := _INSIDE.fullmatch(path):
        kind = cast(AddressKind, _CONTAINERS[found["suffix"].lower()])
        return Address(path, kind, found["container"], found["inner"])
    if found := _FRAME.fullmatch(path):
        return Address(path, "video", found["container"], found["inner"])
    return Address(path, "file", path)


def is_plain(path: str) -> bool:
    """Whether it can only be a file: nearly all there are, told without taking them apart."""
    return path.startswith("/") and INSIDE not in path and "#" not in path


def is_file(path: str) -> bool:
    """Whether it is a file of its own."""
    return is_plain(path) or parse(path).kind == "file"


def is_remote(place: str) -> bool:
    """Whether it names a protocol, such as `s3://` or `https://`."""
    return _REMOTE.match(place) is not None


MISLEADING: Final = "its name is how pictures inside a file are addressed: rename the folder, without the last !"


def is_misleading(folder: str) -> bool:
    """Whether what lies in that folder would be taken for members of a file: it is called `x.zip!`."""
    return parse(f"{folder}/file").kind != "file"


def inside(container: str, name: str) -> str:
    return f"{container}{INSIDE}/{name}"


def frame(video: str, seconds: float) -> str:
    """Padded, so that the order of bytes is that of time; media fragments allow it (`#t=`, W3C)."""
    return f"{video}#t={seconds:010.3f}"


def above(path: str) -> Iterator[str]:
    """The path and all that it lies in, the innermost first."""
    address = parse(path)
    if address.kind == "video":
        yield path
        path = address.container
    while path:
        yield path
        if path.endswith(INSIDE):
            yield path.removesuffix(INSIDE)
        path = path.rpartition("/")[0]
    yield "/"


def location(path: str) -> str:
    """What another program can open: of an entry of a list the file or URL that it names, else the path."""
    address = parse(path)
    return entry_location(address.container, address.inner) if address.kind == "list" else path


def entry_location(listing: str, entry: str) -> str:
    """Relative paths are relative to the list."""
    return entry if is_remote(entry) else os.path.normpath(os.path.join(os.path.dirname(listing), entry))  # noqa: PTH118, PTH120


def shown(path: str) -> str:
    """For people: `dive.mp4 at 0:12`."""
    address = parse(path)
    return f"{address.container} at {clock(address.seconds)}" if address.seconds is not None else location(path)


def name(path: str) -> str:
    """The last part of what is shown."""
    place = location(path)
    if is_remote(place) and place.startswith("http"):
        return unquote(urlsplit(place).path.rpartition("/")[2]) or place
    return PurePath(shown(path)).name


def clock(seconds: float) -> str:
    """`0:12`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
