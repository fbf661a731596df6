"""An open_clip model being trained: which of its weights move, in which number format, and how they are fed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
import torch.nn.functional as functional

from indexer.backends.choice import DeviceChoice
from indexer.encoder import ModelParts
from indexer.errors import ModelLoadFailed
from indexer.training.lora import LowRankUpdates
from indexer.training.recipe import Recipe

_LARGEST_SCALE = 100.0
"""CLIP's own limit for what cosines are multiplied with."""
_SIGMOID_SCALE, _SIGMOID_BIAS = 10.0, -10.0
"""SigLIP's start."""
_TEXTS_AT_ONCE = 256


class Towers(Protocol):
    """Two towers in training, whatever of them moves."""

    device: torch.device

    def train(self) -> None:
        """As for a step, with dropout."""
        ...

    def images(self, inputs: torch.Tensor) -> torch.Tensor:
        """`images` of a batch -> float32 unit rows `(n, dimension)`."""
        ...

    def texts(self, captions: Sequence[str]) -> torch.Tensor:
        """n captions -> float32 unit rows `(n, dimension)`."""
        ...

    @property
    def scale(self) -> torch.Tensor:
        """What cosines are multiplied with in the loss."""
        ...

    @property
    def bias(self) -> torch.Tensor | None:
        """What is added to them in SigLIP's loss."""
        ...

    def limit_scale(self) -> None: ...

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """What moves, as an optimizer takes it."""
        ...

    def state(self) -> dict[str, Any]:
        """What `load` takes, to go on from here: tensors by name."""
        ...

    def load(self, state: dict[str, Any]) -> None: ...

    def finish(self) -> None:
        """Put what was learned into the model's own weights; it is an ordinary model again, and training is over."""
        ...


class TrainableTowers:
    """See `Towers`. In float32, multiplied in bfloat16 where that is chosen."""

    def __init__(self, parts: ModelParts, recipe: Recipe, device: DeviceChoice = "auto") -> None:
        self.device = _device(parts.checkpoint.name, device)
        self.model: Any = parts.model
        self._tokenizer = parts.tokenizer
        self._locked = recipe.train == "text"
        self._freeze_batch_norm = recipe.freeze_batch_norm
        self.bfloat16 = _multiplies_in_bfloat16(recipe, self.device)
        if recipe.loss == "sigmoid" and getattr(self.model, "logit_bias", None) is None:
            self._begin_sigmoid()
        self._updates = self._begin(recipe)
        if recipe.save_memory:
            self.model.set_grad_checkpointing(True)
        self.model.to(self.device)
        mean, std = parts.preprocessing.mean, parts.preprocessing.std
        pair = (torch.tensor(values, device=self.device).view(1, 3, 1, 1) for values in (mean, std))
        self._mean, self._std = pair

    def train(self) -> None:
        """Dropout on; a locked tower and, as chosen, batch norms stay as they are when searching."""
        self.model.train()
        if self._locked:
            self.model.visual.eval()
        if self._freeze_batch_norm:
            for module in self.model.modules():
                if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def eval(self) -> None:
        self.model.eval()

    def images(self, inputs: torch.Tensor) -> torch.Tensor:
        """uint8 `(n, 3, height, width)` -> float32 unit rows `(n, dimension)`."""
        planes = (inputs.to(self.device).float().div_(255).sub_(self._mean).div_(self._std)).contiguous(
            memory_format=torch.channels_last
        )
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._locked), self._multiplying():
            rows = self.model.encode_image(planes)
        return functional.normalize(rows.float(), dim=-1)

    def texts(self, captions: Sequence[str]) -> torch.Tensor:
        """n captions -> float32 unit rows `(n, dimension)`."""
        tokens = self._tokenizer(captions).to(self.device)
        with self._multiplying():
            rows = self.model.encode_text(tokens)
        return functional.normalize(rows.float(), dim=-1)

    def texts_in_parts(self, captions: Sequence[str]) -> torch.Tensor:
        """As many captions as there are -> rows in the CPU's memory, without gradients."""
        with torch.no_grad():
            starts = range(0, len(captions), _TEXTS_AT_ONCE)
            return torch.cat([self.texts(captions[start : start + _TEXTS_AT_ONCE]).cpu() for start in starts])

    @property
    def scale(self) -> torch.Tensor:
        result: torch.Tensor = self.model.logit_scale.float().exp()
        return result

    @property
    def bias(self) -> torch.Tensor | None:
        bias: torch.Tensor | None = getattr(self.model, "logit_bias", None)
        return bias

    def limit_scale(self) -> None:
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(_LARGEST_SCALE))

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Matrices decay. Tables of tokens and positions do not: rows of words that no caption holds would vanish."""
        decayed: list[torch.nn.Parameter] = []
        kept: list[torch.nn.Parameter] = []
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                plain = parameter.ndim < 2 or "embedding" in name
                (kept if plain else decayed).append(parameter)
        return [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.model.state_dict()
        return state

    def load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state)

    def finish(self) -> None:
        if self._updates is not None:
            self._updates.merge()
            self._updates = None

    def _begin(self, recipe: Recipe) -> LowRankUpdates | None:
        """Freezes what does not move. The temperature always does: it has no part in a search, only in the loss."""
        updates = None
        if recipe.train == "text":
            self.model.visual.requires_grad_(False)
        elif recipe.train == "adapter":
            self.model.requires_grad_(False)
        elif recipe.train == "lora":
            rank, alpha = recipe.low_rank
            updates = LowRankUpdates(self.model, rank=rank, alpha=alpha, seed=recipe.seed)
        for temperature in (self.model.logit_scale, getattr(self.model, "logit_bias", None)):
            if temperature is not None:
                temperature.requires_grad_(True)
        return updates

    def _begin_sigmoid(self) -> None:
        self.model.logit_bias = torch.nn.Parameter(torch.full_like(self.model.logit_scale.detach(), _SIGMOID_BIAS))
        with torch.no_grad():
            self.model.logit_scale.fill_(math.log(_SIGMOID_SCALE))

    def _multiplying(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()


def _device(model: str, choice: DeviceChoice) -> torch.device:
    gpu = torch.cuda.is_available()
    if choice == "cuda" and not gpu:
        raise ModelLoadFailed(model, "device 'cuda' was asked for and torch finds none here; use `--device cpu`")
    return torch.device("cuda" if gpu and choice != "cpu" else "cpu")


def _multiplies_in_bfloat16(recipe: Recipe, device: torch.device) -> bool:
    """`auto` is bfloat16 on GPUs that have it. On CPUs float32 was faster than autocast, which casts all weights in
    every pass: ViT-B-32 encoded at 0.36 of the speed, on a CPU with bfloat16 units."""
    if recipe.precision != "auto":
        return recipe.precision == "bfloat16"
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
