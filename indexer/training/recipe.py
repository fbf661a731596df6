"""How `sightline train` trains: every choice that changes the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from indexer.errors import InvalidTraining

Loss = Literal["softmax", "sigmoid"]
TrainingPrecision = Literal["auto", "float32", "bfloat16"]

_RANGES = {
    "epochs": (1, 100_000),
    "batch_size": (2, 1_000_000),
    "accumulate": (1, 100_000),
    "learning_rate": (1e-9, 1.0),
    "weight_decay": (0.0, 10.0),
    "warm_up": (0.0, 1.0),
    "clip_norm": (1e-6, 1e6),
    "smallest_crop": (0.05, 1.0),
    "patience": (1, 100_000),
    "held_out": (0.0, 0.9),
    "seed": (0, 2**32 - 1),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Raises `InvalidTraining` for a value out of range."""

    loss: Loss = "softmax"
    """`softmax` as in CLIP, `sigmoid` as in SigLIP."""
    lock_image: bool = False
    """Train the text tower alone, against an image tower as it is (LiT)."""
    freeze_batch_norm: bool = True
    """Keep the running statistics of convolutional towers; those of small batches would replace better ones."""
    epochs: int = 10
    """One epoch shows every picture once, with one of its captions."""
    batch_size: int = 64
    """Pairs in one softmax: every picture is told from this many texts."""
    accumulate: int = 1
    """Batches a step of the optimizer. It smooths the gradient; it adds no wrong answers to a batch."""
    learning_rate: float = 1e-4
    """The peak, after the warm-up; then down to nothing along a cosine."""
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
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                reason = "; a batch of one has no wrong answer to learn from" if name == "batch_size" else ""
                option = name.replace("_", "-")
                raise InvalidTraining(f"--{option} must be {low:g} to {high:g}, not {value:g}{reason}")
        for name, allowed in (("loss", ("softmax", "sigmoid")), ("precision", ("auto", "float32", "bfloat16"))):
            if getattr(self, name) not in allowed:
                raise InvalidTraining(f"--{name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}")
