"""What is measured on: a set, or a part of it, with its pictures encoded; or the pictures of a collection."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from indexer.collection import Collection
from indexer.encoder import Embeddings, Encoder
from indexer.errors import IncompleteDataset, InvalidDataset, UnreadableImage
from indexer.originals import Originals
from search.benchmark.encoding import Batching, Encoded, Picture, Stage, encode_pictures
from search.benchmark.report import DatasetInfo
from search.benchmark.speed import spread
from search.datasets import CaptionedDataset, LabelledDataset, Origin, Standing, StoredImage
from search.datasets.problems import Problem, Problems
from search.ranks import Ints

ItemSet = TypeVar("ItemSet", CaptionedDataset, LabelledDataset)

_ROWS = 1000
"""Rows of the catalog asked for at a time."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Encoded pictures and their captions. Pictures without captions are found, but nobody asks for them."""

    info: DatasetInfo
    keys: tuple[str, ...]
    pictures: tuple[StoredImage, ...]
    vectors: Embeddings
    captions: tuple[str, ...]
    image_of_caption: Ints
    images_per_second: float | None = None


def printable(text: str) -> str:
    """As UTF-8 can hold it: bytes of names that are not UTF-8, and halves of pairs, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def info_of(origin: Origin, images: int, captions: int = 0) -> DatasetInfo:
    note = () if origin.standing.standard else (origin.standing.note,)
    return DatasetInfo(
        name=printable(origin.name),
        format=origin.form,
        split=origin.split,
        images=images,
        captions=captions,
        sha256={printable(name): sha256 for name, sha256 in origin.hashes.items()},
        standard=origin.standing.note if origin.standing.standard else None,
        partial=origin.partial,
        warnings=tuple(printable(line) for line in (*origin.problems, *note)),
    )


def narrowed(dataset: ItemSet, rows: Sequence[int], lines: Sequence[str]) -> ItemSet:
    """Only these items; the lines say why, and the set is partial from here on."""
    return replace(dataset, items=tuple(dataset.items[row] for row in rows), origin=marked(dataset.origin, lines))


def marked(origin: Origin, lines: Sequence[str]) -> Origin:
    """As partial, with its problems."""
    note = origin.standing.note
    standing = Standing(standard=False, note=note if origin.partial else f"partial, {note}")
    return replace(origin, problems=(*origin.problems, *lines), standing=standing)


def limited(dataset: ItemSet, limit: int | None) -> ItemSet:
    """At most so many images, evenly spread over the set."""
    total = len(dataset.items)
    if limit is None or limit >= total:
        return dataset
    return narrowed(dataset, spread(total, limit), [f"only {limit:,} of its {total:,} images (--limit)"])


@dataclass(frozen=True, slots=True)
class Reading:
    """How a set's pictures are read."""

    path: str
    """Of the set, for messages."""
    batching: Batching
    allow_partial: bool
    stage: Stage | None


def encode_items(
    keys: Sequence[str], pictures: Sequence[Picture], encoder: Encoder, reading: Reading
) -> tuple[Encoded, tuple[str, ...]]:
    """The pictures encoded, and what was wrong with those that could not be read.

    Raises `IncompleteDataset` at the first of these, unless partial sets are allowed, and `InvalidDataset` if no
    picture can be read.
    """

    def lines(failures: Iterable[tuple[int, str]]) -> tuple[str, ...]:
        problems = Problems()
        for place, reason in failures:
            problems.add(Problem.DAMAGED, f"{keys[place]}: {reason}")
        return problems.lines()

    def stop(place: int, error: UnreadableImage) -> None:
        if not reading.allow_partial:
            raise IncompleteDataset(reading.path, lines([(place, str(error))]))

    encoded = encode_pictures(pictures, encoder, reading.batching, stage=reading.stage, on_failure=stop)
    problems = lines(encoded.failures)
    if not encoded.kept:
        raise InvalidDataset(reading.path, "; ".join(("not one picture of it can be read", *problems)))
    return encoded, problems


def encoded_set(dataset: CaptionedDataset, encoder: Encoder, reading: Reading) -> Corpus:
    items = dataset.items
    encoded, problems = encode_items([i.key for i in items], [i.image for i in items], encoder, reading)
    if problems:
        dataset = narrowed(dataset, encoded.kept, problems)
    captions = tuple(dataset.captions())
    return Corpus(
        info=info_of(dataset.origin, len(dataset.items), len(captions)),
        keys=tuple(printable(item.key) for item in dataset.items),
        pictures=tuple(item.image for item in dataset.items),
        vectors=encoded.embeddings,
        captions=captions,
        image_of_caption=dataset.image_of_caption,
        images_per_second=encoded.per_second,
    )


def collection_corpus(collection: Collection, dataset: CaptionedDataset | None, *, allow_partial: bool) -> Corpus:
    """All pictures of a collection as it stores them, with captions of a set about them or from side-cars.

    Raises `InvalidDataset` if there are no captions at all, and `IncompleteDataset` for captions of pictures that are
    not in the collection and for damaged side-cars, unless partial sets are allowed.
    """
    ids, vectors = collection.snapshot().contents()
    paths = _paths(collection, ids)
    problems = Problems()
    found = _from_set(dataset, paths, problems) if dataset else list(_beside(paths, problems))
    lines = problems.lines()
    if lines and not allow_partial:
        raise IncompleteDataset(str(collection.library), lines)
    captions = [(row, caption) for row, texts in found for caption in texts]
    if not captions:
        raise InvalidDataset(str(collection.library), "; ".join((_no_captions(len(paths)), *lines)))
    return Corpus(
        info=_own_info(collection, dataset, paths, captions, lines),
        keys=tuple(printable(path) for path in paths),
        pictures=tuple(StoredImage(Path(path)) for path in paths),
        vectors=vectors.astype(np.float32),
        captions=tuple(caption for _, caption in captions),
        image_of_caption=np.array([row for row, _ in captions], np.int64),
    )


def _paths(collection: Collection, ids: Ints) -> list[str]:
    paths: list[str] = []
    for start in range(0, len(ids), _ROWS):
        some = [int(id_) for id_ in ids[start : start + _ROWS]]
        records = collection.catalog.get_many(some)
        paths += [records[id_].path for id_ in some]
    return paths


def _from_set(dataset: CaptionedDataset, paths: Sequence[str], problems: Problems) -> list[tuple[int, tuple[str, ...]]]:
    """Rows of the collection and their captions, matched by the file's path."""
    rows = {os.path.realpath(path): row for row, path in enumerate(paths)}
    found = []
    for item in dataset.items:
        row = rows.get(os.path.realpath(item.image.path)) if item.image.size is None else None
        if row is None:
            problems.add(Problem.UNKNOWN_IMAGE, item.key)
        else:
            found.append((row, item.captions))
    return found


def _beside(paths: Sequence[str], problems: Problems) -> Iterator[tuple[int, tuple[str, ...]]]:
    originals = Originals()
    for row, path in enumerate(paths):
        if captions := originals.captions(path, lambda sidecar: problems.add(Problem.DAMAGED, str(sidecar))):
            yield row, captions


def _own_info(
    collection: Collection,
    dataset: CaptionedDataset | None,
    paths: Sequence[str],
    captions: Sequence[tuple[int, str]],
    lines: tuple[str, ...],
) -> DatasetInfo:
    """Names the hash of what was asked for: the paths with their captions, or the caption file's own."""
    note = f"your own collection: compare it with itself only; {len(paths):,} images are searched"
    listing = hashlib.sha256()
    for row, caption in captions:
        listing.update(f"{printable(paths[row])}\0{printable(caption)}\n".encode())
    hashes = dataset.origin.hashes if dataset else {"paths and captions": listing.hexdigest()}
    form = f"own collection, {dataset.origin.form}" if dataset else "own collection, side-cars"
    problems = (*(dataset.origin.problems if dataset else ()), *lines)
    standing = Standing(standard=False, note=f"partial, {note}" if problems else note)
    origin = Origin(collection.library.name, None, form, hashes, problems, standing)
    return info_of(origin, len(paths), len(captions))


def _no_captions(images: int) -> str:
    return (
        f"none of its {images:,} images has captions beside it; write them into IMAGE.txt, one a line, or give a file "
        "of captions with --dataset"
    )
