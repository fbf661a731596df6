"""What the training loop works on: a model with what moves of it, its batches, and how its recall is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.backends.choice import DeviceChoice
from indexer.encoder import ModelParts
from indexer.training.adapter import Adapter
from indexer.training.augment import Augmenter
from indexer.training.batches import Batch, Batches
from indexer.training.captions import Picture
from indexer.training.embedded import EmbeddedBatches
from indexer.training.heldout import HeldOutRecall, embed, recall_of
from indexer.training.recipe import Recipe
from indexer.training.towers import Towers, TrainableTowers


class EpochBatches(Protocol):
    @property
    def count(self) -> int:
        """Batches an epoch."""
        ...

    def epoch(self, number: int) -> Iterator[Batch]:
        """The same number gives the same batches."""
        ...


@dataclass(frozen=True, slots=True)
class Trainee:
    towers: Towers
    batches: EpochBatches
    measure: Callable[[], HeldOutRecall | None]
    """Recall on what is held out, as of now; None when the embeddings are not finite."""


def make_trainee(
    parts: ModelParts,
    pictures: Sequence[Picture],
    held_out: Sequence[Picture],
    recipe: Recipe,
    *,
    device: DeviceChoice,
    threads: int,
) -> Trainee:
    """Raises `InvalidDataset`, `ModelLoadFailed` for a device that is not there, and what cannot be trained so."""
    towers = TrainableTowers(parts, recipe, device)
    augmenter = Augmenter(parts.preprocessing, smallest_crop=recipe.smallest_crop, mirror=recipe.mirror)
    if recipe.train != "adapter":
        batches = Batches(pictures, augmenter, batch_size=recipe.batch_size, seed=recipe.seed, threads=threads)
        return Trainee(
            towers, batches, lambda: recall_of(embed(towers, held_out, parts.preprocessing, threads=threads))
        )
    adapter = Adapter(towers, parts)
    held = embed(towers, held_out, parts.preprocessing, threads=threads)
    embedded = EmbeddedBatches(
        pictures, augmenter, towers, batch_size=recipe.batch_size, seed=recipe.seed, threads=threads
    )
    adapter.learn_captions(embedded.captions)
    return Trainee(adapter, embedded, lambda: recall_of(adapter.applied(held)))
