"""The teacher: puts pictures and sentence vectors into one space. The text tower that is shipped learns from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional

_VECTOR_SCALE = 4.0
"""Sentence vectors are of unit length, so each of their 384 numbers is too small for a GELU to bend."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training, with a learning rate that rises and falls of its own."""

    name: str
    epochs: int
    """One epoch shows every captioned picture once, with one of its captions."""
    learning_rate: float
    """The peak, after `warm_up` steps; then down to nothing along a cosine."""
    weight_decay: float
    """Of matrices; none of biases, scales and the classes' free vectors."""
    upper_rate: float | None = None
    """Of the backbone's upper part; None leaves that as it is, which makes an epoch ten times as fast."""
    upper_decay: float = 0.05
    side_share: float = 1.0
    """Of the other shards' batches."""
    blended: float = 0.0
    """Share of the batches that are blends of two views, where the upper part is left as it is."""
    caption_mixing: float = 0.5
    """Share of captions whose vector is mixed with that of another caption of the same picture."""
    feature_dropout: float = 0.3
    side_weight: float = 0.15
    """Of the loss of each of the other shards' batches, against 1 for the captions'."""
    class_weight: float = 0.12
    """Of the divergences from the backbone's own classifier."""


@dataclass(frozen=True, slots=True)
class TeacherRecipe:
    """How the teacher is made and trained: first on what the frozen backbone says, then with its upper part, at last
    with less dropout and more of the classifier."""

    dimension: int = 384
    """Of the space that pictures and texts share."""
    hidden: int = 2048
    """Of the text head."""
    stages: tuple[Stage, ...] = (
        Stage("frozen", 14, 1.5e-3, weight_decay=1.0, blended=0.5),
        Stage("tuned", 7, 3e-4, weight_decay=0.1, upper_rate=3e-4, side_share=0.5),
        Stage(
            "settled",
            4,
            3e-4,
            weight_decay=0.1,
            upper_rate=1.5e-4,
            side_share=0.5,
            caption_mixing=0.3,
            feature_dropout=0.15,
            side_weight=0.06,
            class_weight=0.3,
        ),
    )
    batch: int = 384
    warm_up: int = 60
    """Steps."""
    feature_noise: float = 0.2
    """Gaussian noise on the features, in their standard deviation."""
    vector_dropout: float = 0.1
    hidden_dropout: float = 0.3
    keep_classes: float = 0.5
    """Within the divergences, of how far the classifier has come to say another thing of the tuned features."""
    made_up: int = 192
    """Made-up features in every step."""
    shift_decay: float = 0.002
    """Weight of the mean square length of what a class's vector has beyond its name's."""
    clip_norm: float = 5.0
    averaging: float = 0.98
    """What is kept of each stage is the running average of the weights, with this decay a step."""


class TextHead(torch.nn.Module):
    """Sentence vectors `(n, d)` -> unit rows: a linear map, and a wide MLP that begins as almost nothing."""

    def __init__(self, vector_dimension: int, recipe: TeacherRecipe) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(vector_dimension, recipe.dimension)
        self.widen = torch.nn.Linear(vector_dimension, recipe.hidden)
        self.narrow = torch.nn.Linear(recipe.hidden, recipe.dimension)
        torch.nn.init.normal_(self.narrow.weight, std=0.01)
        self.vector_dropout = torch.nn.Dropout(recipe.vector_dropout)
        self.hidden_dropout = torch.nn.Dropout(recipe.hidden_dropout)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        hidden = functional.gelu(self.widen(self.vector_dropout(vectors) * _VECTOR_SCALE))
        return functional.normalize(self.linear(vectors) + self.narrow(self.hidden_dropout(hidden)), dim=-1)


class Teacher(torch.nn.Module):
    """Everything to unit rows `(n, dimension)`.

    A class has a free vector besides its name's, `shift`: what a picture shows that no name says.
    """

    mean: torch.Tensor
    spread: torch.Tensor

    def __init__(self, photos: torch.Tensor, vector_dimension: int, classes: int, recipe: TeacherRecipe) -> None:
        """`photos`, `(n, 1280)`, are features whose mean is taken off and whose spread the noise is measured in."""
        super().__init__()
        self._noise = recipe.feature_noise
        self.register_buffer("mean", photos.mean(dim=0))
        self.register_buffer("spread", photos.std(dim=0).mean())
        self.projection = torch.nn.Linear(photos.shape[1], recipe.dimension)
        self.texts = TextHead(vector_dimension, recipe)
        self.shift = torch.nn.Parameter(torch.zeros(classes, recipe.dimension))
        self.logit_scale = torch.nn.Parameter(torch.tensor(math.log(20.0)))
        self.class_scale = torch.nn.Parameter(torch.tensor(math.log(40.0)))
        self.class_bias = torch.nn.Parameter(torch.zeros(classes))

    def images(self, pooled: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
        """Features `(n, 1280)`; in training, noisy ones, of which the share `dropout` is missing."""
        if self.training:
            pooled = functional.dropout(pooled + self._noise * self.spread * torch.randn_like(pooled), dropout)
        return functional.normalize(self.projection(pooled - self.mean), dim=-1)

    def classes(self, vectors: torch.Tensor) -> torch.Tensor:
        """The sentence vectors of a text of every class, in their order."""
        return functional.normalize(self.texts(vectors) + self.shift, dim=-1)

    def class_logits(self, images: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        return self.class_scale.exp() * images @ classes.T + self.class_bias

    def head(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of one linear layer that does what `images` does before it normalizes."""
        weight = self.projection.weight.detach()
        return weight, self.projection.bias.detach() - weight @ self.mean
