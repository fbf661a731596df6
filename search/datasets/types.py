"""What a benchmark set is, whatever form it came in: pictures that are read one by one, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UnreadableImage
from indexer.images import Limits
from indexer.sources import FolderSource


@dataclass(frozen=True, slots=True)
class StoredImage:
    """Where a picture's bytes lie: a file, or a stretch of one (a member of a tar)."""

    path: Path
    offset: int = 0
    size: int | None = None
    """Bytes; None for the whole file."""

    def read(self, limits: Limits | None = None) -> bytes:
        """The encoded picture. Raises `UnreadableImage`: vanished, cut short, or too large."""
        max_bytes = (limits or Limits()).max_bytes
        if self.size is None:
            return FolderSource(self.path.parent, max_bytes=max_bytes).read(str(self.path))
        if self.size > max_bytes:
            raise UnreadableImage(
                f"{self.size:,} bytes are over the limit of {max_bytes:,}; raise SIGHTLINE_MAX_FILE_MB"
            )
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise UnreadableImage(f"cannot be read ({error.strerror or error})") from error
        if len(data) < self.size:
            raise UnreadableImage(f"cut short: {len(data):,} of {self.size:,} bytes")
        return data


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a split is one that papers report on."""

    standard: bool
    note: str
    """One line for the report: which one it is, or how it differs."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a set comes from, for the report."""

    name: str
    """`Flickr8k`, `Flickr30k` or `COCO` if recognised, else the file's own name."""
    split: str | None
    form: str
    """The form it was read from, such as `Karpathy JSON`."""
    hashes: Mapping[str, str]
    """sha256, in hex, of every caption file or shard by its name."""
    problems: tuple[str, ...] = ()
    """What is missing or wrong, a line for each kind; empty for a whole set."""
    standing: Standing = field(default=Standing(standard=False, note="not a known standard set"))

    @property
    def partial(self) -> bool:
        """Whether something is missing: no result on it may be passed off as one on the whole set."""
        return bool(self.problems)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "split": self.split,
            "form": self.form,
            "sha256": dict(self.hashes),
            "partial": self.partial,
            "problems": list(self.problems),
            "standard": self.standing.standard,
            "note": self.standing.note,
        }


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    key: str
    """Unique in its set: the file name or the shard's key."""
    captions: tuple[str, ...]
    """Raw, as in the file; at least one, none empty. The same text may stand twice."""
    image: StoredImage


@dataclass(frozen=True)
class CaptionedDataset:
    """Pictures with their captions, in the order of the file."""

    origin: Origin
    items: tuple[CaptionedImage, ...]

    def captions(self) -> Iterator[str]:
        """All captions, image by image: the rows that `image_of_caption` speaks of."""
        return chain.from_iterable(item.captions for item in self.items)

    @cached_property
    def image_of_caption(self) -> NDArray[np.int64]:
        """`(captions,)`: the row in `items` of each caption's image."""
        return np.repeat(np.arange(len(self.items)), [len(item.captions) for item in self.items])

    def to_dict(self) -> dict[str, Any]:
        counts = {"images": len(self.items), "captions": len(self.image_of_caption)}
        return self.origin.to_dict() | counts


@dataclass(frozen=True, slots=True)
class LabelledImage:
    key: str
    label: int
    """The row in `LabelledDataset.classes`."""
    image: StoredImage


@dataclass(frozen=True)
class LabelledDataset:
    """Pictures of one class each."""

    origin: Origin
    classes: tuple[str, ...]
    """Names to put into prompts."""
    items: tuple[LabelledImage, ...]
    templates: tuple[str, ...] = ()
    """Prompts that came with the set, if any."""

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """`(images,)`: the row in `classes` of each."""
        return np.array([item.label for item in self.items], dtype=np.int64)

    def to_dict(self) -> dict[str, Any]:
        return self.origin.to_dict() | {"images": len(self.items), "classes": len(self.classes)}


Protocol = Literal["easy", "medium", "hard", "classic"]


@dataclass(frozen=True, slots=True)
class InstanceQuery:
    """A picture of a thing, and the gallery's pictures that show the same thing, by row."""

    key: str
    image: StoredImage
    box: tuple[float, float, float, float] | None
    """Left, top, right, bottom in pixels: the part of the picture that is the query."""
    easy: tuple[int, ...]
    hard: tuple[int, ...]
    junk: tuple[int, ...]


@dataclass(frozen=True)
class InstanceDataset:
    """Oxford and Paris style: queries, and a gallery judged for each."""

    origin: Origin
    queries: tuple[InstanceQuery, ...]
    gallery: tuple[tuple[str, StoredImage], ...]
    """Key and picture."""
    protocols: tuple[Protocol, ...]
    """The ones that the lists can answer: `classic` (2007), or `easy`, `medium` and `hard` (revisited, 2018)."""

    def judged(self, protocol: Protocol) -> tuple[list[Sequence[int]], list[Sequence[int]]]:
        """Relevant and junk rows of each query. Easy: hard ones are junk; hard: easy ones are; medium: both count."""
        if protocol not in self.protocols:
            raise ValueError(f"no protocol {protocol!r} in this set; it has {', '.join(self.protocols)}")
        relevant: list[Sequence[int]] = []
        junk: list[Sequence[int]] = []
        for query in self.queries:
            both = query.easy + query.hard
            relevant.append({"easy": query.easy, "hard": query.hard}.get(protocol, both))
            junk.append(query.junk + {"easy": query.hard, "hard": query.easy}.get(protocol, ()))
        return relevant, junk

    def to_dict(self) -> dict[str, Any]:
        return self.origin.to_dict() | {"images": len(self.gallery), "queries": len(self.queries)}


Dataset = CaptionedDataset | LabelledDataset | InstanceDataset
