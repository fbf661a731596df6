"""Recall of a model in training on the pictures held out, by the protocol of papers: every caption, as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from indexer.errors import InvalidDataset
from indexer.images import Preprocessing
from indexer.recall import count_group_ranks, count_ranks, recall_at
from indexer.training.batches import plain_batches
from indexer.training.captions import Picture
from indexer.training.towers import TrainableTowers

KS = (1, 5, 10)
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class HeldOutRecall:
    """Recall@1, 5 and 10, each 0 to 1, ties counted against."""

    text_to_image: tuple[float, float, float]
    image_to_text: tuple[float, float, float]

    def rank(self) -> tuple[float, float, float]:
        """What makes one epoch better than another: mean R@10, where that is equal R@5, then R@1."""
        at_1, at_5, at_10 = (a + b for a, b in zip(self.text_to_image, self.image_to_text, strict=True))
        return at_10, at_5, at_1


@dataclass(frozen=True, slots=True)
class Embedded:
    """Pictures and all their captions, as unit rows in the CPU's memory."""

    rows: tuple[torch.Tensor, torch.Tensor]
    """float32 `(pictures, dimension)` and `(captions, dimension)`."""
    owner: tuple[int, ...]
    """The row of each caption's picture."""


def embed(
    towers: TrainableTowers, pictures: Sequence[Picture], preprocessing: Preprocessing, *, threads: int
) -> Embedded:
    """As they are searched. Raises `InvalidDataset` when fewer than two pictures can be decoded."""
    towers.eval()
    images, captions, owner, count = [], list[str](), list[int](), 0
    with torch.no_grad():
        for batch, pixels in plain_batches(pictures, preprocessing, batch_size=_AT_ONCE, threads=threads):
            captions += [caption for picture in batch for caption in picture.captions]
            owner += [count + i for i, picture in enumerate(batch) for _ in picture.captions]
            count += len(batch)
            images.append(towers.images(pixels).cpu())
    if count < 2:
        raise InvalidDataset(str(pictures[0].file), "fewer than two of the pictures held out can be decoded")
    return Embedded((torch.cat(images), towers.texts_in_parts(captions)), tuple(owner))


def recall_of(embedded: Embedded) -> HeldOutRecall | None:
    """None when the embeddings are not finite: the model has diverged."""
    images, texts = embedded.rows
    scores = (images @ texts.T).numpy()
    if not np.isfinite(scores).all():
        return None
    right = np.array(embedded.owner, dtype=np.int64)
    by_text, by_image = count_ranks(scores.T, right), count_group_ranks(scores, right)
    one, five, ten = (recall_at(k, by_text.worst) for k in KS)
    first, fifth, tenth = (recall_at(k, by_image.worst) for k in KS)
    return HeldOutRecall((one, five, ten), (first, fifth, tenth))
