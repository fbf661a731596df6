"""The image tower's start: an ImageNet-trained MobileNetV2 as plain tensors, put into timm's `mobilenetv2_100`.

The backbone was trained with TensorFlow's `SAME` padding, which puts the odd row and column of a stride-2 convolution
at the bottom and the right; timm pads both sides. On an even width timm's padding is TensorFlow's seen in a mirror,
so every kernel is mirrored left to right, which for photos costs nothing. Up and down cannot be mirrored; there an
odd height makes both paddings the same number of rows. ImageNet top-1 on 1,000 photos, 192 px centre crop:
74.1 % with TensorFlow's padding, 65.2 % with timm's, 72.0 % with mirrored kernels on 193 x 192.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from indexer.errors import ModelLoadFailed
from indexer.torchvision_ops import ensure_torchvision_ops

TIMM_MODEL = "mobilenetv2_100"
HEIGHT, WIDTH = 225, 224
FEATURES = 1280
MAP_SHAPE = (15, 14, 96)
"""Rows, columns and channels of what the lower part makes of a picture."""
_LOWER_BLOCKS = 5
"""Of seven. They hold 0.5 of the 2.2 million weights and take seven eighths of a picture's time (20 of 23 ms)."""

WEIGHTS_FILE = "mobilenet_v2_imagenet.safetensors"
LABELS_FILE = "imagenet_labels.txt"


@dataclass(frozen=True, slots=True)
class Backbone:
    trunk: torch.nn.Module
    """float32 `(n, 3, height, width)`, RGB in -1..1 -> float32 `(n, 1280)`, averaged over the picture."""
    classifier: torch.Tensor
    """float32 `(1000, 1280)`: one row a class, in the order of `class_names`."""
    bias: torch.Tensor
    """float32 `(1000,)`, of the classifier."""
    class_names: list[tuple[str, ...]]
    """The synonyms of each of the 1,000 classes."""

    def logits(self, pooled: torch.Tensor) -> torch.Tensor:
        """`(n, 1280)` -> `(n, 1000)`: how much each picture looks like each class."""
        return pooled @ self.classifier.T + self.bias


class LowerPart(torch.nn.Module):
    """The trunk's first layers: `(n, 3, 225, 224)` in -1..1 -> `(n, 96, 15, 14)`. Shares the trunk's weights."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(trunk.conv_stem, trunk.bn1, *trunk.blocks[:_LOWER_BLOCKS])

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.layers(planes)
        return maps


class UpperPart(torch.nn.Module):
    """The trunk's other layers: `(n, 96, 15, 14)` -> `(n, 1280)`. Their weights are the trunk's own: training moves it.

    Batch norms always keep their statistics, for those are folded into the weights.
    """

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            *trunk.blocks[_LOWER_BLOCKS:], trunk.conv_head, trunk.bn2, trunk.global_pool
        ).eval()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.layers(maps)
        return pooled


def load_backbone(folder: Path) -> Backbone:
    """Reads `mobilenet_v2_imagenet.safetensors` and `imagenet_labels.txt` (line 0 is background and left out).

    Raises `ModelLoadFailed` when either is missing or is not what this architecture needs.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS_FILE).items()}
        lines = (folder / LABELS_FILE).read_text(encoding="utf-8").splitlines()
        trunk = build_trunk()
        _fill(trunk, weights)
        classifier, bias = weights["classifier.weight"][1:, :, 0, 0], weights["classifier.bias"][1:]
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelLoadFailed(str(folder), " ".join(str(error).split())[:300]) from error
    names = [tuple(name.strip() for name in line.split(",")) for line in lines[1:]]
    if len(names) != len(classifier):
        raise ModelLoadFailed(str(folder), f"{LABELS_FILE} names {len(names)} classes, of {len(classifier)}")
    # channels_last is 1.6 times as fast for this network in float32.
    trunk = trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Backbone(trunk=trunk, classifier=classifier, bias=bias, class_names=names)


def build_trunk() -> torch.nn.Module:
    """timm's network without its head and with random weights, as open_clip builds it for the config we export."""
    ensure_torchvision_ops()
    import timm

    trunk: Any = timm.create_model(TIMM_MODEL, pretrained=False)
    trunk.reset_classifier(0, global_pool="avg")
    result: torch.nn.Module = trunk.eval()
    return result


def _fill(trunk: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Convolution i takes `conv{i:02d}`, mirrored; its batch norm, folded at the source, becomes identity and bias."""
    modules = list(trunk.modules())
    convolutions = [module for module in modules if isinstance(module, torch.nn.Conv2d)]
    norms = [module for module in modules if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for i, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
            convolution.weight.copy_(weights[f"conv{i:02d}.weight"].flip(3))
            norm.bias.copy_(weights[f"conv{i:02d}.bias"])
            norm.weight.fill_(1.0)
            for buffer, value in ((norm.running_mean, 0.0), (norm.running_var, 1.0 - norm.eps)):
                if buffer is not None:
                    buffer.fill_(value)
