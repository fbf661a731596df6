"""Batches of embeddings for an adapter: no weight below it moves, so every view of a picture is encoded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from indexer.errors import InvalidDataset
from indexer.images import decode
from indexer.training.augment import Augmenter, View
from indexer.training.batches import Batch, in_order
from indexer.training.captions import Picture
from indexer.training.towers import TrainableTowers

_VIEWS = 4
_PICTURES_AT_ONCE = 8


class EmbeddedBatches:
    """As `Batches`, of a picture's embedding in one of four views. The embeddings are made here: it takes its time.

    Raises `InvalidDataset` when fewer than two pictures can be decoded.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        augmenter: Augmenter,
        towers: TrainableTowers,
        *,
        batch_size: int,
        seed: int,
        threads: int,
    ) -> None:
        views = _draw(pictures, augmenter, seed)

        def make(picture: Picture) -> torch.Tensor:
            pixels = decode(picture.read(), augmenter.decoded).pixels
            return torch.stack([augmenter.apply(pixels, view) for view in views[picture]])

        towers.eval()
        self._pictures: list[Picture] = []
        rows = []
        with torch.no_grad():
            for batch, stacked in in_order(pictures, make, batch_size=_PICTURES_AT_ONCE, threads=threads):
                self._pictures += batch
                encoded = towers.images(stacked.flatten(0, 1)).cpu()
                rows.append(encoded.view(len(batch), _VIEWS, -1))
        if len(self._pictures) < 2:
            raise InvalidDataset(str(pictures[0].file), "almost none of its pictures can be decoded")
        self._rows = torch.cat(rows)
        self._size = min(batch_size, len(self._pictures))
        self._seed = seed
        self.count = len(self._pictures) // self._size

    @property
    def captions(self) -> list[str]:
        """All that a batch may hold."""
        return [caption for picture in self._pictures for caption in picture.captions]

    def epoch(self, number: int) -> Iterator[Batch]:
        rng = np.random.default_rng([self._seed, number])
        order = rng.permutation(len(self._pictures))
        for batch in range(self.count):
            chosen = order[batch * self._size : (batch + 1) * self._size].tolist()
            captions = [_one(self._pictures[i].captions, rng) for i in chosen]
            yield Batch(self._rows[chosen, rng.integers(_VIEWS, size=len(chosen))], captions)


def _one(captions: Sequence[str], rng: np.random.Generator) -> str:
    return captions[int(rng.integers(len(captions)))]


def _draw(pictures: Sequence[Picture], augmenter: Augmenter, seed: int) -> dict[Picture, list[View]]:
    """The views of each picture; if any of its captions says left or right, none is mirrored."""
    texts = [" ".join(picture.captions) for picture in pictures for _ in range(_VIEWS)]
    drawn = augmenter.draw(texts, seed)
    return {picture: drawn[i * _VIEWS : (i + 1) * _VIEWS] for i, picture in enumerate(pictures)}
