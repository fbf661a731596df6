"""Contrastive training of any open_clip model, end to end, on captioned pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from indexer.checkpoints import one_line
from indexer.encoder import DeviceChoice, ModelParts, load_parts
from indexer.errors import InvalidDataset, TrainingDiverged, TrainingError, TrainingTooLarge
from indexer.training.augment import Augmenter
from indexer.training.batches import Batch, Batches
from indexer.training.captions import Picture
from indexer.training.card import TrainingData, model_card
from indexer.training.checkpoint import Checkpoints, EpochResult
from indexer.training.curve import CURVE_FILE, curve
from indexer.training.heldout import HeldOutRecall, measure
from indexer.training.losses import said_by_others, sigmoid_loss, softmax_loss
from indexer.training.modelfolder import StoredDtype, find_config, write_model
from indexer.training.recipe import Recipe
from indexer.training.towers import TrainableTowers


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
    data = TrainingData.of(pictures, held_out, names)
    checkpoints = Checkpoints(out, {"model": parts.weights_hash[:16], "data": data.fingerprint, **asdict(recipe)})
    output = _Output(out, parts, find_config(parts), data, recipe, stored)
    with _out_of_memory(recipe.batch_size):
        run = _Run(parts, pictures, held_out, recipe, device, threads or min(8, os.cpu_count() or 1), watch)
        history = run.restore(*checkpoints.resume()) if resume else checkpoints.begin()
        try:
            for result in run.epochs(history):
                history.append(result)
                is_best = best_epoch(history) == result.epoch
                checkpoints.save(history, run.model_state(), run.optimizer.state_dict(), is_best=is_best)
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
    config: dict[str, Any]
    data: TrainingData
    recipe: Recipe
    stored: StoredDtype

    def write(self, state: dict[str, Any], history: Sequence[EpochResult]) -> int:
        """The weights of the best epoch, `state`, as a model folder; returns which epoch that is."""
        best = best_epoch(history)
        self.parts.model.load_state_dict(state)
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

    def __init__(
        self,
        parts: ModelParts,
        pictures: Sequence[Picture],
        held_out: Sequence[Picture],
        recipe: Recipe,
        device: DeviceChoice,
        threads: int,
        watch: Watch,
    ) -> None:
        self._recipe = recipe
        self._held_out = held_out
        self._preprocessing = parts.preprocessing
        self._threads = threads
        self._watch = watch
        self._loss = sigmoid_loss if recipe.loss == "sigmoid" else softmax_loss
        self._towers = TrainableTowers(parts, recipe, device)
        augmenter = Augmenter(parts.preprocessing, smallest_crop=recipe.smallest_crop, mirror=recipe.mirror)
        self._batches = Batches(pictures, augmenter, batch_size=recipe.batch_size, seed=recipe.seed, threads=threads)
        self._steps_an_epoch = math.ceil(self._batches.count / recipe.accumulate)
        self.optimizer: Any = torch.optim.AdamW(
            self._towers.parameter_groups(recipe.weight_decay),
            lr=recipe.learning_rate,
            betas=(0.9, 0.98),
            eps=1e-6,
        )
        self._recall: HeldOutRecall | None = None

    def model_state(self) -> dict[str, torch.Tensor]:
        state: dict[str, torch.Tensor] = self._towers.model.state_dict()
        return state

    def restore(
        self, history: list[EpochResult], model: dict[str, Any], optimizer: dict[str, Any]
    ) -> list[EpochResult]:
        self._towers.model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)
        self._recall = history[-1].recall
        return history

    def epochs(self, done: Sequence[EpochResult]) -> Iterator[EpochResult]:
        """The epochs that are left after those `done`, which the caller extends with each."""
        if not done:
            self._report(0, 0, None)
            yield self._measured(0, None)
        while len(done) <= self._recipe.epochs and len(done) - 1 - best_epoch(done) < self._recipe.patience:
            epoch = len(done)
            yield self._measured(epoch, self._train(epoch))

    def _measured(self, epoch: int, loss: float | None) -> EpochResult:
        recall = measure(self._towers, self._held_out, self._preprocessing, threads=self._threads)
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
        for group in _grouped(self._batches.epoch(epoch), self._recipe.accumulate):
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
            images, texts = self._towers.images(batch.pixels), self._towers.texts(batch.captions)
            ignored = said_by_others(batch.captions).to(images.device)
            loss = self._loss(images, texts, self._towers.scale, self._towers.bias, ignored) / len(batches)
            total += float(loss.detach())
            if not math.isfinite(total):
                return total
            loss.backward()  # type: ignore[no-untyped-call]
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, self._recipe.clip_norm)
        self.optimizer.step()
        self._towers.limit_scale()
        return total

    def _report(self, epoch: int, step: int, loss: float | None) -> None:
        self._watch(TrainingProgress(epoch, step, self._steps_an_epoch * self._recipe.epochs, loss, self._recall))


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Of step 0 to steps - 1: up in a line over the warm-up, then down to nothing along a cosine."""
    warm_up = round(recipe.warm_up * steps)
    if step < warm_up:
        return recipe.learning_rate * (step + 1) / warm_up
    return recipe.learning_rate * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up))) / 2


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
