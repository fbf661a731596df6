"""Photos to decode: those of a shard, as large as asked for, and as heavy as a camera's."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.training.shards import Example, read_shard

GRAIN = 4.0
"""Standard deviation, of 255. With it 12 MP are 2.5 MB, as of a camera; without it an enlarged photo compresses to
less, and scaling while decoding gains 7.7 times instead of 3 to 4: reading the bits costs the same at any scale."""
QUALITY = 90


def enlarged(jpeg: bytes, megapixels: float, seed: int = 0) -> Image.Image:
    """The photo at that size, its shape kept, with a sensor's grain in its brightness."""
    photo = Image.open(BytesIO(jpeg)).convert("RGB")
    scale = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
    large = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(seed).normal(0, GRAIN, (large.height, large.width, 1))
    return Image.fromarray((np.asarray(large) + grain).clip(0, 255).astype(np.uint8))


def as_file(picture: Image.Image, format: str = "JPEG") -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format, **({"compress_level": 1} if format == "PNG" else {"quality": QUALITY}))
    return buffer.getvalue()


def files(shard: Path, megapixels: float | None, count: int, format: str = "JPEG") -> list[bytes]:
    """The shard's first photos as files of that size; None: as they are."""
    examples = enumerate(islice(read_shard(shard), count))
    if megapixels is None:
        return [example.jpeg for _, example in examples]
    return [as_file(enlarged(example.jpeg, megapixels, seed), format) for seed, example in examples]


def captioned(shard: Path) -> Iterator[Example]:
    return (example for example in read_shard(shard) if example.captions)
