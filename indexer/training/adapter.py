"""A linear map on top of each tower of a model that stays as it is, over embeddings computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as functional
from torch import nn

from indexer.encoder import ModelParts
from indexer.training.heldout import Embedded
from indexer.training.projection import IMAGE_PROJECTIONS, TEXT_PROJECTIONS, find_projection, fold
from indexer.training.towers import TrainableTowers


class Adapter:
    """See `Towers`; what its image side takes are the frozen tower's own rows, `(n, dimension)`.

    A map is the identity plus what is learned, which begins as zero, so that weight decay draws to the model as it
    was. Raises `InvalidTraining` for a model whose towers do not both end in a linear layer.
    """

    def __init__(self, towers: TrainableTowers, parts: ModelParts) -> None:
        self.device = towers.device
        self._towers = towers
        towers.eval()
        size = parts.preprocessing
        pixels = torch.randint(0, 256, (2, 3, size.height, size.width), dtype=torch.uint8)
        model, name = parts.model, parts.checkpoint.name
        self._projections = (
            find_projection(model, IMAGE_PROJECTIONS, lambda: towers.images(pixels), name),
            find_projection(model, TEXT_PROJECTIONS, lambda: towers.texts(["a dog", "two cats"]), name),
        )
        with torch.no_grad():
            dimension = towers.texts(["a dog"]).shape[1]
        self._maps = tuple(nn.Parameter(torch.zeros(dimension, dimension, device=self.device)) for _ in range(2))
        self._row_of: dict[str, int] = {}
        self._rows = torch.empty(0, dimension)

    def learn_captions(self, captions: Sequence[str]) -> None:
        """Embeds those that `texts` will be asked for."""
        self._row_of = {caption: row for row, caption in enumerate(dict.fromkeys(captions))}
        self._rows = self._towers.texts_in_parts(list(self._row_of))

    def train(self) -> None:
        """Nothing below has dropout or statistics that count."""

    def images(self, inputs: torch.Tensor) -> torch.Tensor:
        return self._mapped(0, inputs.to(self.device))

    def texts(self, captions: Sequence[str]) -> torch.Tensor:
        """Raises KeyError for a caption that was not learned."""
        return self._mapped(1, self._rows[[self._row_of[caption] for caption in captions]].to(self.device))

    def applied(self, embedded: Embedded) -> Embedded:
        with torch.no_grad():
            images, texts = (self._mapped(i, rows.to(self.device)).cpu() for i, rows in enumerate(embedded.rows))
        return Embedded((images, texts), embedded.owner)

    @property
    def scale(self) -> torch.Tensor:
        return self._towers.scale

    @property
    def bias(self) -> torch.Tensor | None:
        return self._towers.bias

    def limit_scale(self) -> None:
        self._towers.limit_scale()

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        maps = {"params": list(self._maps), "weight_decay": weight_decay}
        return [maps, *self._towers.parameter_groups(weight_decay)]

    def state(self) -> dict[str, Any]:
        moved = {name: p.detach() for name, p in self._towers.model.named_parameters() if p.requires_grad}
        return {"image map": self._maps[0].detach(), "text map": self._maps[1].detach(), "temperature": moved}

    def load(self, state: dict[str, Any]) -> None:
        with torch.no_grad():
            for own, stored in zip(self._maps, (state["image map"], state["text map"]), strict=True):
                own.copy_(stored)
        self._towers.model.load_state_dict(state["temperature"], strict=False)

    def finish(self) -> None:
        for learned, projection in zip(self._maps, self._projections, strict=True):
            fold(_whole(learned).detach(), projection)
            with torch.no_grad():
                learned.zero_()

    def _mapped(self, side: int, rows: torch.Tensor) -> torch.Tensor:
        return functional.normalize(rows @ _whole(self._maps[side]).T, dim=-1)


def _whole(learned: torch.Tensor) -> torch.Tensor:
    return torch.eye(len(learned), device=learned.device) + learned
