"""Where a training stands, on disk after every epoch, so that an interruption costs one epoch at most."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from indexer.errors import CheckpointDamaged, CheckpointMismatch, InvalidTraining, TrainingError
from indexer.training.heldout import HeldOutRecall

FOLDER = "checkpoint"
_LAST, _BEST = "last.pt", "best.pt"

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EpochResult:
    """Epoch 0 is before training and has no loss."""

    epoch: int
    loss: float | None
    recall: HeldOutRecall


class Checkpoints:
    """The checkpoint files of the training that writes into `out`.

    `identity` is what the result depends on: model, data, settings. Files are replaced whole, the best before the
    last: an epoch done again after a crash in between writes the same best again.
    """

    def __init__(self, out: Path, identity: Mapping[str, Any]) -> None:
        self._out = out
        self._folder = out / FOLDER
        self._identity = json.dumps(dict(identity), sort_keys=True)

    @staticmethod
    def are_in(out: Path) -> bool:
        """Whether there is a training to go on with."""
        return (out / FOLDER / _LAST).is_file()

    def begin(self) -> list[EpochResult]:
        """The history, empty as yet, of a new training. Raises `InvalidTraining` when `out` holds anything already."""
        if self.are_in(self._out):
            raise InvalidTraining(f"{str(self._out)!r} holds a training that was interrupted; go on with --resume")
        # A checkpoint folder without a checkpoint is of a training that failed before its first one.
        if self._out.exists() and (not self._out.is_dir() or set(self._out.iterdir()) - {self._folder}):
            raise InvalidTraining(f"{str(self._out)!r} is in use; choose a new folder with --out")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidTraining(
                f"{str(self._out)!r} cannot be written ({error.strerror}); choose another --out"
            ) from error
        return []

    def resume(self) -> tuple[list[EpochResult], State, State]:
        """The epochs done, and the states of model and optimizer after them.

        Raises `InvalidTraining` when there is none, `CheckpointMismatch` when it is another's, `CheckpointDamaged`.
        """
        if not self.are_in(self._out):
            raise InvalidTraining(f"{str(self._out)!r} holds no training to resume; begin one without --resume")
        path = self._folder / _LAST
        stored = _read(path)
        try:
            self._check(json.loads(stored["identity"]))
            return _history(json.loads(stored["history"])), stored["model"], stored["optimizer"]
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointDamaged(str(path), f"it is of another form ({error})") from error

    def save(self, history: list[EpochResult], model: State, optimizer: State, *, is_best: bool) -> None:
        if is_best:
            _write(self._folder / _BEST, {"model": model})
        records = json.dumps([asdict(result) for result in history])
        state = {"identity": self._identity, "history": records, "model": model, "optimizer": optimizer}
        _write(self._folder / _LAST, state)

    def best(self) -> State:
        path = self._folder / _BEST
        model: State = _read(path)["model"]
        return model

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _check(self, stored: Mapping[str, Any]) -> None:
        mine = json.loads(self._identity)
        names = sorted(name for name in mine.keys() | stored.keys() if mine.get(name) != stored.get(name))
        if names:
            differences = tuple(f"{name.replace('_', ' ')} {stored.get(name)}, not {mine.get(name)}" for name in names)
            raise CheckpointMismatch(str(self._out), differences)


def _history(records: list[dict[str, Any]]) -> list[EpochResult]:
    return [
        EpochResult(
            record["epoch"],
            record["loss"],
            HeldOutRecall(tuple(record["recall"]["text_to_image"]), tuple(record["recall"]["image_to_text"])),
        )
        for record in records
    ]


def _read(path: Path) -> State:
    """Tensors and plain values only: a checkpoint from somebody else cannot run a program."""
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointDamaged(str(path), " ".join(str(error).split())[:200] or type(error).__name__) from error
    return state


def _write(path: Path, state: State) -> None:
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(f"{str(path)!r} cannot be written ({reason}); check the disk, then --resume") from error
