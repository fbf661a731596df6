"""Files of a data set: read as text or JSON, hashed, and the pictures that they name found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from indexer.errors import InvalidDataset
from search.datasets.problems import Problem, Problems
from search.datasets.types import StoredImage

_BESIDE = (
    "",
    "images",
    "Images",
    "jpg",
    "Flicker8k_Dataset",  # sic: the official archive's own spelling
    "Flickr8k_Dataset",
    "flickr30k-images",
    "flickr30k_images",
    "val2014",
    "train2014",
    "val2017",
    "train2017",
)
"""Folders that the official archives unpack to, beside the captions or one level up."""


def sha256(path: Path) -> str:
    """Of the whole file, in hex. Raises `InvalidDataset` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidDataset(str(path), f"it cannot be read ({error.strerror or error})") from error


def read_text(path: Path) -> str:
    """UTF-8, with or without a byte order mark. Raises `InvalidDataset`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDataset(str(path), f"it is not UTF-8 (byte {error.start:,}); convert it to UTF-8") from error
    except OSError as error:
        raise InvalidDataset(str(path), f"it cannot be read ({error.strerror or error})") from error


def read_json(path: Path) -> Any:
    """Raises `InvalidDataset`, with the line where the JSON breaks off."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        reason = f"it is not JSON, or only a part of it (line {error.lineno:,}: {error.msg.lower()})"
        raise InvalidDataset(str(path), f"{reason}; copy it again") from error
    except RecursionError as error:
        raise InvalidDataset(str(path), "its JSON is nested too deep") from error


class ImageFolder:
    """Finds the pictures that a caption file names: below the folder given, or in the usual places beside the file."""

    def __init__(self, captions: Path, images: Path | None, problems: Problems) -> None:
        self._problems = problems
        if images is not None:
            if not images.is_dir():
                raise InvalidDataset(str(images), "there is no such image folder; name it with --images")
            self._roots = [images]
        else:
            above = [captions.parent, captions.parent.parent]
            places = [folder / name for folder in above for name in _BESIDE]
            self._roots = [place for place in places if place != captions.parent.parent and place.is_dir()]

    def find(self, *names: str) -> StoredImage | None:
        """The first of the names that is a file in one of the folders; otherwise a problem is noted."""
        inside = [name for name in names if _stays_inside(name)]
        if not inside:
            self._problems.add(Problem.OUTSIDE, names[0])
            return None
        for place, root in enumerate(self._roots):
            for name in inside:
                path = root / name
                if path.is_file():
                    self._roots.insert(0, self._roots.pop(place))  # the next one is there, too
                    return StoredImage(path)
        self._problems.add(Problem.MISSING_IMAGE, inside[0])
        return None

    @property
    def roots(self) -> Sequence[Path]:
        return tuple(self._roots)


def _stays_inside(name: str) -> bool:
    """Not empty, not absolute, no NUL, and no way up: a caption file from elsewhere must not name /etc/passwd."""
    path = PurePath(name)
    return bool(path.parts) and "\0" not in name and not path.is_absolute() and ".." not in path.parts
