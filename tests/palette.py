"""A small, deterministic, real `Encoder`: pictures and texts meet in the colours they have.

An image becomes its histogram over 4 x 4 x 4 RGB cells, softened so that near colours are near; a text becomes the
histogram of the colours it names. Words that name no colour turn into a faint fixed direction of their own, so that
different texts never collide. `image_batches` and `text_batches` count the calls: tests can say what was encoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.images import Preprocessing
from indexer.manifest import Manifest

COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "gray": (128, 128, 128),
    "orange": (255, 128, 0),
}
_CENTRES = (np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3) * 64 + 32) / 255.0


def _histogram(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n, 3)` colours in 0..1 -> `(64,)`: each colour's weight on every cell, Gaussian in RGB distance."""
    distance = ((colours[:, None, :] - _CENTRES[None]) ** 2).sum(-1)
    weight: NDArray[np.float64] = np.exp(-distance / 0.05)
    mean: NDArray[np.float64] = (weight / weight.sum(1, keepdims=True)).mean(0)
    return mean


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class PaletteEncoder:
    """64 dimensions, 16 px pictures, no weights."""

    batch_size = 32

    def __init__(self, *, model: str = "palette", weights_hash: str = "0" * 64) -> None:
        self.manifest = Manifest(
            model=model,
            weights_hash=weights_hash,
            dimension=64,
            preprocessing=Preprocessing(
                height=16,
                width=16,
                resize_mode="squash",
                interpolation="bicubic",
                mean=(0.0, 0.0, 0.0),
                std=(1.0, 1.0, 1.0),
            ),
            tokenizer="whitespace/lower",
            precision="float32",
        )
        self.image_batches: list[int] = []
        self.text_batches: list[int] = []

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert pixels.dtype == np.uint8
        assert pixels.shape[1:] == (16, 16, 3)
        self.image_batches.append(len(pixels))
        return _unit(np.stack([_histogram(image.reshape(-1, 3) / 255.0) for image in pixels]))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.text_batches.append(len(texts))
        return _unit(np.stack([self._text(text) for text in texts]))

    @staticmethod
    def _text(text: str) -> NDArray[np.float64]:
        words = text.lower().split()
        digest = hashlib.blake2b(" ".join(words).encode("utf-8", "surrogateescape"), digest_size=64).digest()
        row = np.frombuffer(digest, np.uint8) / 255.0 * 1e-3
        named = [COLOURS[word] for word in words if word in COLOURS]
        return row + _histogram(np.array(named) / 255.0) if named else row
