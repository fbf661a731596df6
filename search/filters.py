"""What an image has to be, apart from what it shows: conditions on what the catalog knows of it, with AND, OR and NOT.

Filters are values: frozen, hashable, compared by what they say. `filter_json` has their JSON, `filter_sql` turns them
into the database's language, `box` reads them from what people type.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from indexer.errors import InvalidQuery, InvalidRequest
from indexer.looks.colours import LOOKS
from indexer.tags.labels import tag_name
from indexer.words.fields import words

MAX_CONDITIONS = 200
MAX_DEPTH = 16
MAX_WORDS = 500
"""Characters of a camera, a folder or a part of a path; folders: 4,096."""
_MAX_FOLDER = 4_096

Measure = Literal["width", "height", "megapixels", "bytes"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Shape = Literal["landscape", "portrait", "square"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
FORMATS = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heif")
"""As `ImageInfo` names them."""
MAX_RATING = 5
"""Stars."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Taken at `start` or later and before `end`, by the camera's clock, which has no zone; None: no such limit.

    An image without a date does not pass.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise InvalidQuery("a condition on the date needs a beginning or an end")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InvalidQuery(f"no date is from {self.start:%Y-%m-%d} and before {self.end:%Y-%m-%d}; swap the two")


@dataclass(frozen=True, slots=True)
class Range:
    """Pixels wide or high, megapixels or bytes of the file: at least, at most, both included."""

    measure: Measure
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise InvalidQuery(f"no size is called {self.measure!r}; there are {', '.join(MEASURES)}")
        limits = [limit for limit in (self.least, self.most) if limit is not None]
        if not limits or not all(math.isfinite(limit) and 0 <= limit < 2**63 for limit in limits):
            raise InvalidQuery(f"a condition on {self.measure} needs a least or a most that is 0 or more")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise InvalidQuery(f"no {self.measure} is at least {self.least:g} and at most {self.most:g}; swap the two")


@dataclass(frozen=True, slots=True)
class Format:
    """A file of one of these formats, by its content and not by its name."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in FORMATS]
        if unknown or not self.names:
            raise InvalidQuery(f"no format is called {(unknown or [''])[0]!r}; there are {', '.join(FORMATS)}")


@dataclass(frozen=True, slots=True)
class Orientation:
    """Wider than high, higher than wide, or as wide as high, of the upright picture."""

    shape: Shape

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise InvalidQuery(f"no orientation is called {self.shape!r}; there are {', '.join(SHAPES)}")


@dataclass(frozen=True, slots=True)
class Camera:
    """Make and model hold these words, in any case: `canon` finds `Canon EOS 5D`."""

    words: str

    def __post_init__(self) -> None:
        _check_words("camera", self.words)


@dataclass(frozen=True, slots=True)
class Color:
    """Has any of these colours, or is `monochrome`: at least that share of the picture, 0 to 1, or what is usual."""

    names: tuple[str, ...]
    least: float | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in LOOKS]
        if unknown or not self.names:
            raise InvalidQuery(f"no colour is called {(unknown or [''])[0][:40]!r}; there are {', '.join(LOOKS)}")
        if self.least is not None and not 0 < self.least <= 1:
            raise InvalidQuery("the share of a colour is above 0 and at most 1, or 100 %")


@dataclass(frozen=True, slots=True)
class Rating:
    """Stars that somebody gave it, 0 to 5: at least, at most, both included. One without stars does not pass."""

    least: int | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.least, self.most) if limit is not None]
        if not limits or not all(0 <= limit <= MAX_RATING for limit in limits):
            raise InvalidQuery(f"a condition on the rating needs a least or a most of 0 to {MAX_RATING} stars")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise InvalidQuery(f"no rating is at least {self.least} and at most {self.most}; swap the two")


@dataclass(frozen=True, slots=True)
class Folder:
    """A file anywhere below that folder: an absolute path, or a bucket's, such as `s3://photos/2023`."""

    path: str

    def __post_init__(self) -> None:
        _check_words("folder", self.path, _MAX_FOLDER)
        if not self.path.startswith("/") and "://" not in self.path:
            raise InvalidQuery(f"the folder {self.path[:80]!r} is no absolute path; write it from the root on")


@dataclass(frozen=True, slots=True)
class PathPart:
    """Folder or file name hold these words; the case of A to Z does not count."""

    words: str

    def __post_init__(self) -> None:
        _check_words("path", self.words)


@dataclass(frozen=True, slots=True)
class Phrase:
    """These words in a row, in any case: in the file's name, a folder's, a title, caption or keyword, or as a tag.

    A `*` at the end: the last of them may go on.
    """

    words: str

    def __post_init__(self) -> None:
        _check_words("phrase", self.words)
        if not any(words(self.words)):
            raise InvalidQuery(f"the phrase {self.words[:40]!r} has no words; look for signs with path:")


@dataclass(frozen=True, slots=True)
class Tag:
    """Has this tag, or any of the list of that name, from a list or by hand; see docs/tags.md."""

    name: str

    def __post_init__(self) -> None:
        _check_words("tag", self.name)
        try:
            object.__setattr__(self, "name", tag_name(self.name))
        except InvalidRequest as error:
            raise InvalidQuery(str(error)) from error


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Filter, ...]

    def __post_init__(self) -> None:
        _check_parts("and", self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Filter, ...]

    def __post_init__(self) -> None:
        _check_parts("or", self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter


Condition = Taken | Range | Format | Orientation | Camera | Color | Rating | Folder | PathPart | Phrase | Tag
Filter = Condition | And | Or | Not


def all_of(filters: list[Filter]) -> Filter | None:
    """What passes them all; None if there are none."""
    return And(tuple(filters)) if len(filters) > 1 else next(iter(filters), None)


def check_size(filter: Filter) -> Filter:
    """The filter itself. Raises `InvalidQuery` for one that is too deep or too long for a database's statement."""
    conditions = 0
    for depth, level in enumerate(_levels(filter), start=1):
        conditions += len(level)
        if depth > MAX_DEPTH or conditions > MAX_CONDITIONS:
            raise InvalidQuery(f"the filter is over the limit of {MAX_CONDITIONS} parts in {MAX_DEPTH} levels")
    return filter


def _levels(filter: Filter) -> Iterator[list[Filter]]:
    level = [filter]
    while level:
        yield level
        level = [part for above in level for part in _parts(above)]


def _parts(filter: Filter) -> tuple[Filter, ...]:
    if isinstance(filter, And | Or):
        return filter.parts
    return (filter.part,) if isinstance(filter, Not) else ()


def hidden_tags(filter: Filter) -> list[str]:
    """The tags that images must not have, by conditions that stand in a NOT alone."""
    parts = [part for level in _levels(filter) for part in level]
    return [part.part.name for part in parts if isinstance(part, Not) and isinstance(part.part, Tag)]


def _check_parts(name: str, parts: tuple[Filter, ...]) -> None:
    if not parts:
        raise InvalidQuery(f"'{name}' of a filter needs something to join")


def _check_words(name: str, words: str, limit: int = MAX_WORDS) -> None:
    if not words.strip() or len(words) > limit or "\0" in words:
        raise InvalidQuery(f"a condition on the {name} needs 1 to {limit:,} characters")
    try:
        words.encode("utf-8", "surrogateescape" if name == "folder" else "strict")
    except UnicodeEncodeError as error:
        raise InvalidQuery(f"a condition on the {name} holds half a character; write it in UTF-8") from error
