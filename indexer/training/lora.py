"""Low-rank updates of a model's layers (LoRA), with peft: little moves, and in the end it is an ordinary model again.

Source: Hu et al. 2021, arXiv:2106.09685.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from indexer.errors import BrokenInstallation
from indexer.torchvision_ops import ensure_torchvision_ops


class LowRankUpdates:
    """Made on a model, freezes its weights and puts `alpha / rank * B A` beside those of its layers, B beginning as 0.

    Raises `BrokenInstallation` when peft is not installed.
    """

    def __init__(self, model: Any, *, rank: int, alpha: float, seed: int) -> None:
        ensure_torchvision_ops()  # peft imports transformers, which imports torchvision
        try:
            import peft
        except ModuleNotFoundError as error:
            raise BrokenInstallation(
                f"--train lora needs the package {error.name!r}; run `pip install peft`, or install the extra `lora`"
            ) from error
        config = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=_layers(model))  # type: ignore[arg-type]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._wrapped: Any = peft.get_peft_model(model, config)

    def merge(self) -> None:
        """Add the updates to the weights; the model has its own layers back."""
        self._wrapped.merge_and_unload()


def _layers(model: nn.Module) -> list[str]:
    """The linear ones, 1 x 1 convolutions, which are linear too, and attention. Its projection out belongs to it.

    Left as they are: the text projection, of which open_clip asks whether it is `nn.Linear`, which peft's is not; and
    the attention that CLIP's ResNets end in, which takes the weights of its layers without calling these.
    """
    names, inner = [], {"text_projection", "text.text_projection"}
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            inner.add(f"{name}.out_proj")
            if module._qkv_same_embed_dim:  # the only kind that peft can update
                names.append(name)
        elif isinstance(module, nn.Linear) or _is_pointwise(module):
            names.append(name)
    return [name for name in names if name not in inner and not name.startswith("visual.attnpool.")]


def _is_pointwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.groups == 1
