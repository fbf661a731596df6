"""Contrastive training of any open_clip model, or of a part of it, on captioned pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from indexer.backends.choice import DeviceChoice
from indexer.checkpoints import one_line
from indexer.encoder import ModelParts, load_parts
from indexer.errors import InvalidDataset, TrainingDiverged, TrainingError, TrainingTooLarge
from indexer.training.batches import Batch
from indexer.training.captions import Picture
from indexer.training.card import TrainingData, model_card
from indexer.training.checkpoint import Checkpoints, EpochResult
from indexer.training.curve import CURVE_FILE, curve
from indexer.training.gradcache import backward_in_chunks
from indexer.training.heldout import HeldOutRecall
from indexer.training.losses import said_by_others, sigmoid_loss, softmax_loss
from indexer.training.modelfolder import StoredDtype, find_config, write_model
from indexer.training.recipe import Recipe
from indexer.training.towers import Towers
from indexer.training.trainee import Trainee, make_trainee


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    epoch: int
    """The one under way, from 1; 0 while recall is measured before training."""
    step: int
    """Done in all, of `steps`; earlier runs included."""
    steps: int
    loss: float | None
    """Of the last step."""
    recall: HeldOutRecall | None
    """As last measured."""


@dataclass(frozen=True, slots=True)
class TrainingReport:
    out: Path
    best_epoch: int
    """0: no epoch was better than the model it began with, whose weights were written."""
    stopped_early: bool
    history: tuple[EpochResult, ...]
    """From before training to the last epoch."""


Watch = Callable[[TrainingProgress], None]


def fine_tune(
    model: str,
    pictures: Sequence[Picture],
    held_out: Sequence[Picture],
    out: Path,
    recipe: Recipe,
    *,
    names: Sequence[str] = (),
    resume: bool = False,
    device: DeviceChoice = "auto",
    threads: int | None = None,
    stored: StoredDtype = "float16",
    watch: Watch = lambda progress: None,
) -> TrainingReport:
    """Trains `model` on `pictures` and writes the epoch that does best on `held_out` into the folder `out`.

    `names` say in the model card where the pictures are from. After each epoch `out` holds a checkpoint; with `resume`
    it goes on from there, on a CPU to the same weights as without the interruption. Raises `InvalidTraining`,
    `CheckpointMismatch`, `InvalidDataset`, the errors of `load_encoder`, and `TrainingError`: when the loss diverges,
    the best epoch so far is written before `TrainingDiverged` is raised.
    """
    if min(len(pictures), len(held_out)) < 2:
        raise InvalidDataset(", ".join(names), "at least two pictures to train on and two held out are needed")
    parts = load_parts(model)
    config = find_config(parts)
    data = TrainingData.of(pictures, held_out, names)
    identity = {"model": parts.weights_hash[:16], "data": data.fingerprint, **recipe.settings()}
    checkpoints = Checkpoints(out, identity)
    with _out_of_memory(recipe.batch_size):
        begun = checkpoints.resume() if resume else None
        history = begun[0] if begun else checkpoints.begin()
        threads = threads or min(8, os.cpu_count() or 1)
        trainee = make_trainee(parts, pictures, held_out, recipe, device=device, threads=threads)
        output = _Output(out, parts, trainee.towers, config, data, recipe, stored)
        run = _Run(trainee, recipe, watch)
        if begun:
            run.restore(*begun)
        try:
            for result in run.epochs(history):
                history.append(result)
                is_best = best_epoch(history) == result.epoch
                checkpoints.save(history, trainee.towers.state(), run.optimizer.state_dict(), is_best=is_best)
        except _NotFinite as error:
            kept = "nothing was kept"
            if best_epoch(history):
                best = output.write(checkpoints.best(), history)
                kept = f"epoch {best}, the best until then, is in {str(out)!r}"
            checkpoints.remove()
            raise TrainingDiverged(error.epoch, error.step, kept) from error
    best = output.write(checkpoints.best(), history)
    checkpoints.remove()
    return TrainingReport(out, best, len(history) <= recipe.epochs, tuple(history))


@dataclass(frozen=True, slots=True)
class _Output:
    folder: Path
    parts: ModelParts
    towers: Towers
    config: dict[str, Any]
    data: TrainingData
    recipe: Recipe
    stored: StoredDtype

    def write(self, state: dict[str, Any], history: Sequence[EpochResult]) -> int:
        """The best epoch, whose `state` is given, as a model folder; returns which epoch that is."""
        best = best_epoch(history)
        self.towers.load(state)
        self.towers.finish()
        card = model_card(self.parts.checkpoint.name, self.data, self.recipe, history, best)
        try:
            (self.folder / CURVE_FILE).write_text(curve(history), encoding="utf-8")
            write_model(self.folder, self.parts, self.config, card, self.stored)
        except (OSError, SafetensorError) as error:
            reason = f"the model cannot be written into {str(self.folder)!r} ({one_line(error)})"
            raise TrainingError(f"{reason}; check the disk, then --resume") from error
        return best


def best_epoch(history: Sequence[EpochResult]) -> int:
    """The first of the highest held-out recall; 0 for the model as it was, or when there is none yet."""
    return max(history, key=lambda result: result.recall.rank()).epoch if history else 0


class _NotFinite(Exception):
    def __init__(self, epoch: int, step: int) -> None:
        self.epoch, self.step = epoch, step


class _Run:
    """The loop. What an epoch does depends on the weights, the optimizer, the seed and its number, on nothing else."""

    def __init__(self, trainee: Trainee, recipe: Recipe, watch: Watch) -> None:
        self._trainee = trainee
        self._towers = trainee.towers
        self._recipe = recipe
        self._watch = watch
        self._loss = sigmoid_loss if recipe.loss == "sigmoid" else softmax_loss
        self._steps_an_epoch = math.ceil(trainee.batches.count / recipe.accumulate)
        self.optimizer: Any = torch.optim.AdamW(
            self._towers.parameter_groups(recipe.weight_decay), lr=recipe.peak, betas=(0.9, 0.98), eps=1e-6
        )
        self._recall: HeldOutRecall | None = None

    def restore(self, history: Sequence[EpochResult], model: dict[str, Any], optimizer: dict[str, Any]) -> None:
        self._towers.load(model)
        self.optimizer.load_state_dict(optimizer)
        self._recall = history[-1].recall

    def epochs(self, done: Sequence[EpochResult]) -> Iterator[EpochResult]:
        """The epochs that are left after those `done`, which the caller extends with each."""
        if not done:
            self._report(0, 0, None)
            yield self._measured(0, None)
        while len(done) <= self._recipe.epochs and len(done) - 1 - best_epoch(done) < self._recipe.patience:
            epoch = len(done)
            yield self._measured(epoch, self._train(epoch))

    def _measured(self, epoch: int, loss: float | None) -> EpochResult:
        recall = self._trainee.measure()
        if recall is None:
            raise _NotFinite(epoch, epoch * self._steps_an_epoch)
        self._recall = recall
        self._report(epoch, epoch * self._steps_an_epoch, loss)
        return EpochResult(epoch, loss, recall)

    def _train(self, epoch: int) -> float:
        """One epoch; its mean loss."""
        torch.manual_seed(self._recipe.seed + epoch)  # for dropout, where the model has it
        self._towers.train()
        step = (epoch - 1) * self._steps_an_epoch
        losses: list[float] = []
        for group in _grouped(self._trainee.batches.epoch(epoch), self._recipe.accumulate):
            losses.append(self._step(group, step))
            step += 1
            if not math.isfinite(losses[-1]):
                raise _NotFinite(epoch, step)
            self._report(epoch, step, losses[-1])
        return sum(losses) / len(losses)

    def _step(self, batches: Sequence[Batch], step: int) -> float:
        rate = learning_rate(step, self._steps_an_epoch * self._recipe.epochs, self._recipe)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for batch in batches:
            total += self._backward(batch, len(batches))
            if not math.isfinite(total):
                return total
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, self._recipe.clip_norm)
        self.optimizer.step()
        self._towers.limit_scale()
        return total

    def _backward(self, batch: Batch, batches: int) -> float:
        """Adds the gradients of a batch's share of the loss, and returns that share."""
        ignored = said_by_others(batch.captions).to(self._towers.device)

        def loss_of(images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
            return self._loss(images, texts, self._towers.scale, self._towers.bias, ignored) / batches

        if self._recipe.chunk is not None and self._recipe.chunk < len(batch.captions):
            return backward_in_chunks(self._towers, batch, self._recipe.chunk, loss_of)
        loss = loss_of(self._towers.images(batch.images), self._towers.texts(batch.captions))
        if math.isfinite(value := float(loss.detach())):
            loss.backward()  # type: ignore[no-untyped-call]
        return value

    def _report(self, epoch: int, step: int, loss: float | None) -> None:
        self._watch(TrainingProgress(epoch, step, self._steps_an_epoch * self._recipe.epochs, loss, self._recall))


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Of step 0 to steps - 1: up in a line over the warm-up, then down to nothing along a cosine."""
    warm_up = round(recipe.warm_up * steps)
    if step < warm_up:
        return recipe.peak * (step + 1) / warm_up
    return recipe.peak * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up))) / 2


def _grouped(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


@contextmanager
def _out_of_memory(batch_size: int) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingTooLarge(batch_size, "out of memory") from error
    except RuntimeError as error:
        # How torch says it of a CPU's memory.
        if "not enough memory" not in str(error) and "can't allocate memory" not in str(error):
            raise
        raise TrainingTooLarge(batch_size, "not enough memory") from error
