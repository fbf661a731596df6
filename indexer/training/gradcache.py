"""The gradient of a large batch in the memory of a small one.

A contrastive loss needs the embeddings of the whole batch, but activations only where gradients flow back. So all is
embedded without them, the loss gives the gradients at the embeddings, and then each chunk is embedded again, with
activations, and those gradients flow back through it. It costs one more forward pass.
Source: Gao et al. 2021, arXiv:2101.06983.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from indexer.training.batches import Batch
from indexer.training.towers import Towers

LossOf = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Embeddings of images and texts, `(n, dimension)` each -> the loss, a scalar."""


def backward_in_chunks(towers: Towers, batch: Batch, chunk: int, loss_of: LossOf) -> float:
    """Adds the batch's gradients to those of the parameters, `chunk` pairs at a time; returns the loss.

    Where the loss is not finite, no gradient is added.
    """
    parts = [slice(start, start + chunk) for start in range(0, len(batch.captions), chunk)]
    randomness, images, texts = [], [], []
    with torch.no_grad():
        for part in parts:
            randomness.append(_Randomness.now(towers.device))
            images.append(towers.images(batch.images[part]))
            texts.append(towers.texts(batch.captions[part]))
    rows = torch.cat(images).requires_grad_(), torch.cat(texts).requires_grad_()
    loss = loss_of(*rows)
    if not bool(torch.isfinite(loss)):
        return float(loss.detach())
    loss.backward()  # type: ignore[no-untyped-call]  # of temperature and bias, too
    for part, before in zip(parts, randomness, strict=True):
        with before.again():
            made = towers.images(batch.images[part]), towers.texts(batch.captions[part])
        for new, old in zip(made, rows, strict=True):
            if new.requires_grad and old.grad is not None:  # a locked tower takes none
                new.backward(old.grad[part])  # type: ignore[no-untyped-call]
    return float(loss.detach())


@dataclass(frozen=True, slots=True)
class _Randomness:
    """The state of torch's generators, so that dropout leaves out the same numbers again."""

    device: torch.device
    cpu: torch.Tensor
    gpu: torch.Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> _Randomness:
        gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(device, torch.get_rng_state(), gpu)

    @contextmanager
    def again(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=[self.device] if self.gpu is not None else []):
            torch.set_rng_state(self.cpu)
            if self.gpu is not None:
                torch.cuda.set_rng_state(self.gpu, self.device)
            yield
