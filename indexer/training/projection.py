"""The linear layer that a tower ends with: a map put on top of the tower can be folded into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as functional
from torch import nn

from indexer.errors import InvalidTraining

IMAGE_PROJECTIONS = ("visual.proj", "visual.head.proj", "visual.head.mlp.fc2", "visual.attnpool.c_proj")
TEXT_PROJECTIONS = ("text_projection", "text.text_projection", "text.proj", "text.proj.2")
"""Where open_clip's towers have it: its own and timm's, and for texts also transformers'."""

_ALIKE = 0.99
"""Cosine: bfloat16 leaves 0.9999, the wrong layer nothing of a random map."""

Projection = nn.Linear | nn.Parameter
"""A parameter is `(width, dimension)`, the other way round than a linear layer's weight."""


def find_projection(model: Any, names: tuple[str, ...], encode: Callable[[], torch.Tensor], name: str) -> Projection:
    """The layer by whose change every embedding changes likewise; that it does is tried out on what `encode` gives.

    `encode` gives unit rows `(n, dimension)` of the tower. Raises `InvalidTraining` when the tower of the model
    `name` does not end in such a layer.
    """
    for path in names:
        found = _at(model, path)
        if found is not None and _is_last(found, encode):
            return found
    tower = "image" if names is IMAGE_PROJECTIONS else "text"
    raise InvalidTraining(
        f"the {tower} tower of {name!r} does not end in a linear layer that an adapter could be folded into; "
        "use --train lora or --train text"
    )


def fold(change: torch.Tensor, projection: Projection) -> None:
    """Rows r become change @ r, with `change` of `(dimension, dimension)`."""
    with torch.no_grad():
        if isinstance(projection, nn.Parameter):
            projection.copy_(projection @ change.T)
            return
        projection.weight.copy_(change @ projection.weight)
        if projection.bias is not None:
            projection.bias.copy_(change @ projection.bias)


def _at(model: Any, path: str) -> Projection | None:
    found = model
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, nn.Linear | nn.Parameter) else None


def _is_last(projection: Projection, encode: Callable[[], torch.Tensor]) -> bool:
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        before = encode()
        dimension = before.shape[1]
        matrix = projection.T if isinstance(projection, nn.Parameter) else projection.weight
        if matrix.shape[0] != dimension:
            return False
        change = torch.randn(dimension, dimension).to(before.device)
        tensors = [projection] if isinstance(projection, nn.Parameter) else list(projection.parameters())
        kept = [tensor.detach().clone() for tensor in tensors]
        fold(change, projection)
        after = encode()
        for tensor, value in zip(tensors, kept, strict=True):
            tensor.copy_(value)
        return bool((functional.normalize(before @ change.T, dim=-1) * after).sum(dim=-1).min() > _ALIKE)
