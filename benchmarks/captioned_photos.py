"""Photos of a shard, encoded, with the words or labels that go with them: what queries are judged by."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from indexer.encoder import Embeddings, Encoder
from indexer.images import decode
from indexer.training.shards import Example, read_shard

BATCH = 64


@dataclass(frozen=True, slots=True)
class Photos:
    name: str
    examples: tuple[Example, ...]
    vectors: Embeddings
    """`(photos, dimension)` unit rows."""

    def words(self) -> list[set[str]]:
        """Of each photo, those of its captions, in lower case."""
        return [set(re.findall("[a-z]+", " ".join(example.captions).lower())) for example in self.examples]

    def encoded(self, encoder: Encoder, change: Callable[[bytes], bytes]) -> Embeddings:
        """Of the photos changed."""
        return encode_files([change(example.jpeg) for example in self.examples], encoder)


def read_photos(shard: Path, most: int, encoder: Encoder) -> Photos:
    """The shard's first photos."""
    examples = tuple(islice(read_shard(shard), most))
    return Photos(shard.stem, examples, encode_files([example.jpeg for example in examples], encoder))


def encode_files(files: Sequence[bytes], encoder: Encoder) -> Embeddings:
    rows = []
    for start in range(0, len(files), BATCH):
        pixels = [decode(data, encoder.manifest.preprocessing).pixels for data in files[start : start + BATCH]]
        rows.append(encoder.encode_images(np.stack(pixels)))
    return np.concatenate(rows)
