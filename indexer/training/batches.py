"""Pictures and captions -> batches for a step: decoded and augmented by threads, a bounded number ahead."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from indexer.errors import InvalidDataset, UnreadableImage
from indexer.images import Limits, Preprocessing, decode
from indexer.lookahead import look_ahead
from indexer.training.augment import Augmenter, View
from indexer.training.captions import Picture

_LOG = logging.getLogger(__name__)
_AHEAD = 128
"""Pictures decoded before they are asked for: 40 MB at 336 px."""


@dataclass(frozen=True, slots=True)
class Batch:
    images: torch.Tensor
    """uint8 `(n, 3, height, width)`, RGB, as the model's preprocessing asks; for an adapter, embeddings."""
    captions: list[str]
    """One of each picture."""


@dataclass(frozen=True, slots=True)
class _Shown:
    picture: Picture
    caption: str
    view: View


class Batches:
    """The batches of each epoch; the same seed and epoch give the same ones."""

    def __init__(
        self, pictures: Sequence[Picture], augmenter: Augmenter, *, batch_size: int, seed: int, threads: int
    ) -> None:
        self._pictures = pictures
        self._augmenter = augmenter
        self._size = min(batch_size, len(pictures))
        self._seed = seed
        self._threads = threads
        self._unreadable: set[str] = set()
        self.count = len(pictures) // self._size
        """Batches an epoch; the pictures left over wait for the next one, which has another order."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """`count` batches. A picture that cannot be decoded is left out, with a warning; a batch may so be smaller.

        Raises `InvalidDataset` when fewer than two pictures of a batch can be decoded.
        """
        decoded = look_ahead(self._make, self._plan(number), threads=self._threads, ahead=_AHEAD)
        made: list[tuple[torch.Tensor, str]] = []
        for done, (shown, future) in enumerate(decoded, start=1):
            try:
                made.append((future.result(), shown.caption))
            except UnreadableImage as error:
                self._note(shown.picture, error)
            if done % self._size == 0:
                if len(made) < 2:
                    raise InvalidDataset(str(shown.picture.file), "almost none of its pictures can be decoded")
                yield Batch(torch.stack([pixels for pixels, _ in made]), [caption for _, caption in made])
                made = []

    def _plan(self, number: int) -> Iterator[_Shown]:
        rng = np.random.default_rng([self._seed, number])
        order = rng.permutation(len(self._pictures))[: self.count * self._size]
        for start in range(0, len(order), self._size):
            chosen = [self._pictures[i] for i in order[start : start + self._size].tolist()]
            captions = [picture.captions[int(rng.integers(len(picture.captions)))] for picture in chosen]
            views = self._augmenter.draw(captions, int(rng.integers(2**63)))
            for picture, caption, view in zip(chosen, captions, views, strict=True):
                yield _Shown(picture, caption, view)

    def _make(self, shown: _Shown) -> torch.Tensor:
        pixels = decode(shown.picture.read(), self._augmenter.decoded).pixels
        return self._augmenter.apply(pixels, shown.view)

    def _note(self, picture: Picture, error: UnreadableImage) -> None:
        if picture.key not in self._unreadable:
            self._unreadable.add(picture.key)
            _LOG.warning("left out %s: %s", picture.key, error)


def plain_batches(
    pictures: Sequence[Picture], preprocessing: Preprocessing, *, batch_size: int, threads: int
) -> Iterator[tuple[list[Picture], torch.Tensor]]:
    """Every picture once, in order, as it is searched: not augmented. One that cannot be decoded is left out."""

    def plain(picture: Picture) -> torch.Tensor:
        made = decode(picture.read(), preprocessing, Limits()).pixels
        return torch.from_numpy(np.require(made, requirements=["C", "W"])).permute(2, 0, 1)

    return in_order(pictures, plain, batch_size=batch_size, threads=threads)


def in_order(
    pictures: Sequence[Picture], make: Callable[[Picture], torch.Tensor], *, batch_size: int, threads: int
) -> Iterator[tuple[list[Picture], torch.Tensor]]:
    """What `make` makes of each picture, stacked. One that cannot be decoded is left out, with a warning."""
    kept: list[Picture] = []
    made: list[torch.Tensor] = []
    for picture, future in look_ahead(make, pictures, threads=threads, ahead=_AHEAD):
        try:
            made.append(future.result())
        except UnreadableImage as error:
            _LOG.warning("left out %s: %s", picture.key, error)
            continue
        kept.append(picture)
        if len(kept) == batch_size:
            yield kept, torch.stack(made)
            kept, made = [], []
    if kept:
        yield kept, torch.stack(made)
