"""Entries as a form has them -> a set that is whole, or says what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import IncompleteDataset, InvalidDataset
from search.datasets.problems import Problem, Problems
from search.datasets.standard import dataset_name, split_name, standing
from search.datasets.types import (
    CaptionedDataset,
    CaptionedImage,
    LabelledDataset,
    LabelledImage,
    Origin,
    Standing,
    StoredImage,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asked for."""

    path: Path
    images: Path | None
    split: str | None
    allow_partial: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture as a form names it; `image` is None if it was not found, which is already noted."""

    key: str
    captions: tuple[str, ...]
    image: StoredImage | None


def captioned(
    request: Request,
    entries: Iterable[Entry],
    problems: Problems,
    *,
    name: str,
    split: str | None,
    form: str,
    hashes: Mapping[str, str],
) -> CaptionedDataset:
    """Raises `IncompleteDataset` if anything is wrong, unless partial sets are allowed, and `InvalidDataset` if
    nothing is left."""
    items: dict[str, CaptionedImage] = {}
    for entry in entries:
        captions = _captions(entry, problems)
        if entry.key in items:
            problems.add(Problem.DUPLICATE, entry.key)
        elif entry.image is not None and captions:
            items[entry.key] = CaptionedImage(entry.key, captions, entry.image)
    texts = sum(len(item.captions) for item in items.values())
    dataset, split = dataset_name(name), split_name(split)
    stands = standing(dataset, split, len(items), texts)
    origin = finish(request, problems, len(items), dataset, split, form, hashes, stands)
    return CaptionedDataset(origin, tuple(items.values()))


def labelled(
    request: Request,
    entries: Iterable[tuple[str, str, StoredImage]],
    problems: Problems,
    *,
    classes: tuple[str, ...],
    templates: tuple[str, ...] = (),
    name: str,
    form: str,
    hashes: Mapping[str, str],
) -> LabelledDataset:
    """`entries` are key, class, picture; a class that is not in `classes` is a problem. Raises as `captioned` does."""
    row = {known: index for index, known in enumerate(classes)}
    items: dict[str, LabelledImage] = {}
    for key, label, image in entries:
        if label not in row:
            problems.add(Problem.NO_CLASS, key)
        elif key in items:
            problems.add(Problem.DUPLICATE, key)
        else:
            items[key] = LabelledImage(key, row[label], image)
    stands = Standing(standard=False, note=f"{len(classes):,} classes; no standard counts are known for class sets")
    origin = finish(request, problems, len(items), name, request.split, form, hashes, stands)
    return LabelledDataset(origin, classes, tuple(items.values()), templates)


def finish(
    request: Request,
    problems: Problems,
    found: int,
    name: str,
    split: str | None,
    form: str,
    hashes: Mapping[str, str],
    stands: Standing,
) -> Origin:
    """The origin of a set, or the error that it is not whole."""
    lines = problems.lines()
    if lines and not request.allow_partial:
        raise IncompleteDataset(str(request.path), lines)
    if not found:
        raise InvalidDataset(str(request.path), "; ".join(("there is nothing in it to measure with", *lines)))
    if lines:
        stands = Standing(standard=False, note=f"partial, {stands.note}")
    return Origin(name, split, form, dict(hashes), lines, stands)


def _captions(entry: Entry, problems: Problems) -> tuple[str, ...]:
    if not entry.captions:
        problems.add(Problem.NO_CAPTION, entry.key)
    for caption in entry.captions:
        if not caption.strip():
            problems.add(Problem.EMPTY_CAPTION, entry.key)
    return tuple(caption for caption in entry.captions if caption.strip())
