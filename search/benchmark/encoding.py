"""Pictures and captions -> embeddings, by the path that `sightline index` takes: the same decoder, the same batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np

from indexer.encoder import Embeddings, Encoder
from indexer.errors import ModelError, ModelTooLarge, UndecodableImage, UnreadableImage
from indexer.images import Limits, decode, thumbnail
from indexer.lookahead import look_ahead
from indexer.models import KNOWN_MODELS
from search.datasets import StoredImage

TEXT_BATCH = 256

Stage = Callable[[str, int, int], None]
"""Called now and then with what is being done (`images`, `captions`), how many are done, and of how many."""


class Picture(Protocol):
    """Something with a picture's bytes, such as a `StoredImage`."""

    def read(self, limits: Limits | None = None) -> bytes:
        """Raises `UnreadableImage`."""
        ...


@dataclass(frozen=True, slots=True)
class CroppedImage:
    """The part of a picture that is the query of instance retrieval."""

    image: StoredImage
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels of the upright picture."""

    def read(self, limits: Limits | None = None) -> bytes:
        """The part as PNG, which loses nothing. Raises `UnreadableImage`, also for a box outside the picture."""
        limits = limits or Limits()
        whole = thumbnail(self.image.read(limits), limits.max_pixels, limits)
        left, top, right, bottom = (round(side) for side in self.box)
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, whole.width), min(bottom, whole.height)
        if left >= right or top >= bottom:
            raise UndecodableImage(f"the query's box {self.box} lies outside the picture")
        buffer = BytesIO()
        whole.crop((left, top, right, bottom)).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Batching:
    """How pictures are decoded and encoded."""

    limits: Limits
    batch_size: int
    threads: int


@dataclass(frozen=True, slots=True)
class Encoded:
    embeddings: Embeddings
    """Of the pictures that could be read, in their order."""
    kept: tuple[int, ...]
    """Their places among those given."""
    failures: tuple[tuple[int, str], ...]
    """Place and reason of the others."""
    seconds: float
    """From the first byte read to the last vector."""

    @property
    def per_second(self) -> float | None:
        return len(self.kept) / self.seconds if self.kept and self.seconds else None


def encode_pictures(
    pictures: Sequence[Picture],
    encoder: Encoder,
    batching: Batching,
    *,
    stage: Stage | None = None,
    on_failure: Callable[[int, UnreadableImage], None] | None = None,
) -> Encoded:
    """Threads decode a batch ahead of the one that is encoded. `on_failure` may raise to stop at a bad picture."""
    preprocessing = encoder.manifest.preprocessing
    rows = np.empty((len(pictures), encoder.manifest.dimension), np.float32)
    kept: list[int] = []
    failures: list[tuple[int, str]] = []
    started = time.perf_counter()

    def decoded(place: int) -> np.ndarray:
        return decode(pictures[place].read(batching.limits), preprocessing, batching.limits).pixels

    def encode(batch: list[np.ndarray]) -> None:
        rows[len(kept) - len(batch) : len(kept)] = encoder.encode_images(np.stack(batch))
        batch.clear()

    batch: list[np.ndarray] = []
    ahead = batching.batch_size + batching.threads
    with closing(look_ahead(decoded, range(len(pictures)), threads=batching.threads, ahead=ahead)) as results:
        for place, result in results:
            try:
                batch.append(result.result())
                kept.append(place)
            except UnreadableImage as error:
                failures.append((place, str(error)))
                if on_failure:
                    on_failure(place, error)
            if len(batch) == batching.batch_size:
                encode(batch)
            if stage:
                stage("images", place + 1, len(pictures))
        if batch:
            encode(batch)
    return Encoded(rows[: len(kept)], tuple(kept), tuple(failures), time.perf_counter() - started)


def encode_captions(texts: Sequence[str], encoder: Encoder, *, stage: Stage | None = None) -> tuple[Embeddings, float]:
    """Their embeddings, `(n, dimension)`, and how many seconds it took."""
    rows = np.empty((len(texts), encoder.manifest.dimension), np.float32)
    started = time.perf_counter()
    for start in range(0, len(texts), TEXT_BATCH):
        some = texts[start : start + TEXT_BATCH]
        rows[start : start + len(some)] = encoder.encode_texts(some)
        if stage:
            stage("captions", start + len(some), len(texts))
    return rows, time.perf_counter() - started


_NO_ROOM = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "unable to allocate",
)
"""How torch, CUDA and NumPy say it: on the CPU torch raises a plain RuntimeError."""


@contextmanager
def fitting(model: str) -> Iterator[None]:
    """Running out of memory, on the CPU or the GPU, becomes `ModelTooLarge`."""
    try:
        yield
    except (MemoryError, RuntimeError, ModelError) as error:
        cause = error.__cause__ if isinstance(error, ModelError) else error
        text = str(cause)
        if isinstance(cause, MemoryError) or any(sign in text.lower() for sign in _NO_ROOM):
            raise ModelTooLarge(model, " ".join(text.split())[:160] or "out of memory") from error
        raise


def check_room(model: str, *, on_gpu: bool, available: int | None = None) -> None:
    """Refuse weights that are larger than the free memory, before the kernel kills us for loading them.

    `available` is in bytes, by default what Linux says. Raises `ModelTooLarge`.
    """
    known = next((known for known in KNOWN_MODELS if known.name == model), None)
    free = _available_bytes() if available is None else available
    if known is None or free is None or on_gpu or known.size_mb * 1e6 <= free:
        return
    raise ModelTooLarge(model, f"its weights take {known.size_mb:,.0f} MB, {free / 1e6:,.0f} MB are free")


def _available_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(found) * 1024 if found else None
