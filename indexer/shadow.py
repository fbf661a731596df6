"""Two models of one collection side by side, before one takes the other's place.

Both answer the same queries over the same images: the everyday texts that indexes are calibrated with, the pictures
that people searched with last, and, where pictures have captions beside them, those captions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import UnreadableImage
from indexer.library_folder import QUERIES
from indexer.originals import Originals
from indexer.probes import TEXTS

DEPTH = 10
_PICTURES = 100
_CAPTIONED = 2000
_TIMED = 50
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Answers:
    """What one of the models says."""

    model: str
    dimension: int
    precision: str
    recall: dict[int, float] | None
    """Percent of captions whose picture is among the first 1, 5 and 10; None where no picture has a caption."""
    query_ms: float
    """Median of encoding one text."""
    search_ms: float
    """Median of one search, its text encoded already."""
    embedding_bytes: int
    """In the catalog, of all images."""
    index_bytes: float
    """What a search reads, of all images."""


@dataclass(frozen=True, slots=True)
class Comparison:
    serving: Answers
    candidate: Answers
    images: int
    texts: int
    text_overlap: float
    """Of the serving model's first ten, the share that the candidate has among its own, 0 to 1, mean over the texts."""
    pictures: int
    picture_overlap: float | None
    """Likewise for the pictures that were searched with last; None where there are none."""
    captions: int


def compare(serving: tuple[Collection, Encoder], candidate: tuple[Collection, Encoder]) -> Comparison:
    """Collections of the same images with the encoder of each; the candidate has an embedding of every image."""
    collection = serving[0]
    captions, owners = _captions(collection)
    pictures = _recent_pictures(collection.library)
    texts = [_nearest(of, encoder.encode_texts(TEXTS)) for of, encoder in (serving, candidate)]
    seen = [_nearest(of, _embedded(pictures, of, encoder)) for of, encoder in (serving, candidate)]
    return Comparison(
        serving=_answers(*serving, captions, owners),
        candidate=_answers(*candidate, captions, owners),
        images=collection.catalog.count(),
        texts=len(TEXTS),
        text_overlap=_overlap(*texts) or 0.0,
        pictures=len(seen[0]),
        picture_overlap=_overlap(*seen),
        captions=len(captions),
    )


def _answers(collection: Collection, encoder: Encoder, captions: Sequence[str], owners: Sequence[int]) -> Answers:
    manifest, stats = collection.manifest, collection.stats()
    return Answers(
        model=manifest.model,
        dimension=manifest.dimension,
        precision=encoder.manifest.precision,
        recall=_recall(collection, encoder, captions, owners) if captions else None,
        query_ms=_median_ms(lambda number: encoder.encode_texts([TEXTS[number]])),
        search_ms=_search_ms(collection, encoder),
        embedding_bytes=2 * manifest.dimension * stats.images,
        index_bytes=stats.index.bytes_per_vector * stats.images,
    )


def _recall(
    collection: Collection, encoder: Encoder, captions: Sequence[str], owners: Sequence[int]
) -> dict[int, float]:
    ranks = []
    for start in range(0, len(captions), _BATCH):
        vectors = encoder.encode_texts(captions[start : start + _BATCH])
        for ids, owner in zip(_nearest(collection, vectors), owners[start : start + _BATCH], strict=True):
            ranks.append(ids.index(owner) if owner in ids else DEPTH)
    return {k: 100 * float(np.mean(np.array(ranks) < k)) for k in (1, 5, DEPTH)}


def _nearest(collection: Collection, vectors: NDArray[np.float32]) -> list[list[int]]:
    return [matches.ids.tolist() for matches in collection.search(vectors, DEPTH)]


def _overlap(ours: Sequence[Sequence[int]], theirs: Sequence[Sequence[int]]) -> float | None:
    shares = [len(set(a) & set(b)) / len(a) for a, b in zip(ours, theirs, strict=True) if a]
    return float(np.mean(shares)) if shares else None


def _search_ms(collection: Collection, encoder: Encoder) -> float:
    vectors = encoder.encode_texts(TEXTS[:_TIMED])
    return _median_ms(lambda number: collection.search(vectors[number : number + 1], DEPTH))


def _median_ms(run: Callable[[int], object]) -> float:
    seconds = []
    for number in range(_TIMED):
        started = time.perf_counter()
        run(number)
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds))


def _captions(collection: Collection) -> tuple[list[str], list[int]]:
    """Captions and the ids of their pictures, of up to 2,000 images spread over the collection."""
    ids = collection.catalog.ids()
    step = max(1, len(ids) // _CAPTIONED)
    captions, owners, originals = list[str](), list[int](), Originals()
    for record in collection.catalog.get_many(ids[::step]).values():
        for caption in originals.captions(record.path):
            captions.append(caption)
            owners.append(record.id)
    return captions, owners


def _recent_pictures(library: Path) -> list[bytes]:
    """Those that were searched with last, as they are kept."""
    folder = library / QUERIES
    if not folder.is_dir():
        return []
    newest = sorted(folder.glob("*.jpg"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.read_bytes() for path in newest[:_PICTURES]]


def _embedded(pictures: Sequence[bytes], collection: Collection, encoder: Encoder) -> NDArray[np.float32]:
    pixels = []
    for picture in pictures:
        try:
            pixels.append(collection.manifest.decode(picture).pixels)
        except UnreadableImage:  # half written when the power went
            continue
    if not pixels:
        return np.empty((0, encoder.manifest.dimension), np.float32)
    return encoder.encode_images(np.stack(pixels))
