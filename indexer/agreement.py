"""Whether stored embeddings are those that a model makes: some of their pictures are encoded again and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Encoder
from indexer.errors import UnreadableImage
from indexer.images import Limits
from indexer.manifest import Manifest
from indexer.sources.address import Address
from indexer.sources.files import Files

LEAST = 0.98
"""Of the median cosine of the same pictures encoded twice by one model; precision alone moves the median of `mini`
to 0.998, and single ones down to this, see `Manifest`."""
FAR = 0.9
"""A single picture below this has the embedding of another, or of what its file held before."""
SAMPLE = 32
"""Pictures: a few seconds of a large model on a CPU."""


@dataclass(frozen=True, slots=True)
class Agreement:
    median: float
    """Cosine of stored and new embedding, -1 to 1."""
    lowest: float
    far: int
    """How many are below `FAR`."""
    number: int
    """How many were compared."""

    @classmethod
    def of(cls, stored: NDArray[Any], encoded: NDArray[Any]) -> Agreement:
        """Of `(n, dimension)` rows of any length but 0, n at least 1."""
        stored, encoded = stored.astype(np.float64), encoded.astype(np.float64)
        lengths = np.linalg.norm(stored, axis=1) * np.linalg.norm(encoded, axis=1)
        cosines = (stored * encoded).sum(axis=1) / lengths
        return cls(float(np.median(cosines)), float(cosines.min()), int((cosines < FAR).sum()), len(cosines))

    @property
    def reached(self) -> bool:
        return self.median >= LEAST


def compare(
    encoder: Encoder,
    paths: Iterable[str],
    vectors: Sequence[NDArray[Any]],
    limits: Limits | None = None,
    manifest: Manifest | None = None,
    read: Callable[[str], bytes] | None = None,
) -> Agreement | None:
    """Encode the pictures at `paths` again and compare them with their vectors; None if none can be read.

    `read` gets one, raising `UnreadableImage`; without it the paths are those of files.

    They are decoded as the collection of that manifest decodes them, without one as a new collection would.
    """
    limits = limits or Limits()
    files = Files(limits.max_bytes)
    read = read or (lambda path: files.read(Address(path, "file", path)))
    pixels, stored = [], []
    for path, vector in zip(paths, vectors, strict=True):
        try:
            picture = (manifest or encoder.manifest).decode(read(path), limits)
        except UnreadableImage:
            continue
        pixels.append(picture.pixels)
        stored.append(vector)
    if not pixels:
        return None
    return Agreement.of(np.stack(stored), encoder.encode_images(np.stack(pixels)))
