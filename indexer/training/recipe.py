"""How `sightline train` trains: every choice that changes the result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from indexer.errors import InvalidTraining

Loss = Literal["softmax", "sigmoid"]
Trains = Literal["all", "text", "adapter", "lora"]
TrainingPrecision = Literal["auto", "float32", "bfloat16"]

_RANGES = {
    "epochs": (1, 100_000),
    "batch_size": (2, 1_000_000),
    "chunk": (1, 1_000_000),
    "accumulate": (1, 100_000),
    "learning_rate": (1e-9, 1.0),
    "lora_rank": (1, 1024),
    "lora_alpha": (1e-6, 1e6),
    "weight_decay": (0.0, 10.0),
    "warm_up": (0.0, 1.0),
    "clip_norm": (1e-6, 1e6),
    "smallest_crop": (0.05, 1.0),
    "patience": (1, 100_000),
    "held_out": (0.0, 0.9),
    "seed": (0, 2**32 - 1),
}
_CHOICES = {
    "loss": ("softmax", "sigmoid"),
    "train": ("all", "text", "adapter", "lora"),
    "precision": ("auto", "float32", "bfloat16"),
}
_LEARNING_RATES: dict[Trains, float] = {"all": 1e-4, "text": 1e-4, "adapter": 1e-3, "lora": 1e-3}
"""What starts as nothing may move faster than what is there."""
_LORA_RANK = 16


@dataclass(frozen=True, slots=True)
class Recipe:
    """Raises `InvalidTraining` for a value out of range."""

    loss: Loss = "softmax"
    """`softmax` as in CLIP, `sigmoid` as in SigLIP."""
    train: Trains = "all"
    """What moves: all weights; the text tower, against an image tower as it is (LiT); a linear map on top of both
    towers; or low-rank updates of the layers of both (LoRA). The temperature of the loss always does."""
    lora_rank: int | None = None
    """None: 16, with LoRA."""
    lora_alpha: float | None = None
    """The updates are multiplied by this over the rank. None: twice the rank."""
    freeze_batch_norm: bool = True
    """Keep the running statistics of convolutional towers; those of small batches would replace better ones."""
    epochs: int = 10
    """One epoch shows every picture once, with one of its captions."""
    batch_size: int = 64
    """Pairs in one softmax: every picture is told from this many texts."""
    chunk: int | None = None
    """Pairs whose activations are in memory at once, where that is not the whole batch: the gradient is the batch's."""
    accumulate: int = 1
    """Batches a step of the optimizer. It smooths the gradient; it adds no wrong answers to a batch."""
    learning_rate: float | None = None
    """The peak, after the warm-up; then down to nothing along a cosine. None: as suits `train`."""
    weight_decay: float = 0.1
    """Of matrices; biases, norms and the tables of tokens and positions have none."""
    warm_up: float = 0.1
    """Share of all steps."""
    clip_norm: float = 1.0
    smallest_crop: float = 0.6
    """A random crop keeps at least this share of the picture's area; 1 for no cropping."""
    mirror: bool = True
    """Mirror half of the pictures, but none whose caption says left or right."""
    patience: int = 3
    """Stop after this many epochs without a better held-out recall."""
    held_out: float = 0.1
    """Share of the pictures, at most 1,000 of them, that is not trained on and measures recall."""
    seed: int = 0
    precision: TrainingPrecision = "auto"
    save_memory: bool = False
    """Compute activations again on the way back instead of keeping them: less memory, about a third slower."""

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InvalidTraining(f"--{name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                reason = "; a batch of one has no wrong answer to learn from" if name == "batch_size" else ""
                option = name.replace("_", "-")
                raise InvalidTraining(f"--{option} must be {low:g} to {high:g}, not {value:g}{reason}")
        for reason, excluded in self._exclusions().items():
            if excluded:
                raise InvalidTraining(reason)

    def _exclusions(self) -> dict[str, bool]:
        adapter = self.train == "adapter"
        return {
            "--lora-rank and --lora-alpha belong to --train lora": (
                self.train != "lora" and (self.lora_rank, self.lora_alpha) != (None, None)
            ),
            "--chunk and --save-memory save nothing with --train adapter, which keeps embeddings alone": (
                adapter and (self.chunk is not None or self.save_memory)
            ),
            "--train-batch-norm has no effect with --train adapter, below which nothing moves": (
                adapter and not self.freeze_batch_norm
            ),
            "--chunk and --train-batch-norm exclude each other: statistics would be of a chunk, not of the batch": (
                self.chunk is not None and not self.freeze_batch_norm
            ),
        }

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return _LEARNING_RATES[self.train] if self.learning_rate is None else self.learning_rate

    @property
    def low_rank(self) -> tuple[int, float]:
        """Rank and alpha of LoRA's updates."""
        rank = self.lora_rank or _LORA_RANK
        return rank, self.lora_alpha or 2.0 * rank

    def settings(self) -> dict[str, Any]:
        """Every choice by name, with what the defaults stand for, but without what was not chosen."""
        chosen = asdict(self) | {"learning_rate": self.peak}
        if self.train == "lora":
            chosen["lora_rank"], chosen["lora_alpha"] = self.low_rank
        return {name: value for name, value in chosen.items() if value is not None}
