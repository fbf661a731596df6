"""Some pictures of a collection, to quantise a network with and to try it on."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexer.errors import UnreadableImage
from indexer.images import Limits, Pixels, Preprocessing, decode
from indexer.originals import Originals
from indexer.sources import ImageSource, SourceFile

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    pixels: Pixels
    captions: tuple[str, ...] = ()


Samples = Callable[[Preprocessing, int], list[Sample]]
"""Gets at most so many, in random order."""


@dataclass(frozen=True, slots=True)
class Quantising:
    """What int8 is made with and for."""

    collection: str
    """Its folder: a network that was tried on one collection is not taken for another."""
    samples: Samples | None = None
    """Its pictures; None takes what was made before, and makes nothing."""


def samples_of(source: ImageSource, limits: Limits) -> Samples:
    """Of the pictures that a source lists, with the captions beside them; what cannot be read is left out."""

    def samples(preprocessing: Preprocessing, count: int) -> list[Sample]:
        return list(_decoded(_some(source, count), source, preprocessing, limits))

    return samples


def _decoded(paths: list[str], source: ImageSource, preprocessing: Preprocessing, limits: Limits) -> Iterator[Sample]:
    originals = Originals(limits)
    for path in paths:
        try:
            pixels = decode(source.read(path), preprocessing, limits).pixels
        except UnreadableImage:  # the index run will say so
            continue
        yield Sample(pixels, originals.captions(path, _say_damaged))


def _some(source: ImageSource, count: int) -> list[str]:
    """`count` of its paths in random order, the same ones each time (Vitter's algorithm R)."""
    rng, kept = random.Random(0), list[str]()
    files = (found.path for found in source.walk() if isinstance(found, SourceFile))
    for seen, path in enumerate(files):
        if seen < count:
            kept.append(path)
        elif (place := rng.randrange(seen + 1)) < count:
            kept[place] = path
    rng.shuffle(kept)
    return kept


def _say_damaged(path: object) -> None:
    _log.info("the captions in %s cannot be read", path)
