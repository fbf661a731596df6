"""Where the classes lie among the pictures, found once pictures do not move any more."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional

from indexer.training.backbone import Backbone
from indexer.training.classes import MadeUpFeatures
from indexer.training.losses import divergence
from indexer.training.schedule import warm_cosine
from indexer.training.teacher import Teacher


@dataclass(frozen=True, slots=True)
class ClassVectorRecipe:
    """How the vectors are fitted."""

    steps: int = 800
    batch: int = 512
    """Pictures a step, and as many made-up features."""
    learning_rate: float = 2e-3
    """At the start; then down to nothing along a cosine."""
    made_up_weight: float = 1.0
    """Of the made-up features, against 1 for pictures."""


@dataclass(frozen=True, slots=True)
class SeenPictures:
    """All pictures in all views."""

    images: torch.Tensor
    """float32 `(n, dimension)`, unit rows, by the teacher."""
    logits: torch.Tensor
    """float16 `(n, classes)`: what the backbone's classifier said of them before the upper part was trained."""


def fit_class_vectors(
    teacher: Teacher,
    start: torch.Tensor,
    seen: SeenPictures,
    made_up: MadeUpFeatures,
    backbone: Backbone,
    recipe: ClassVectorRecipe,
    seed: int,
) -> torch.Tensor:
    """`start`, unit rows `(classes, dimension)`, moved so that pictures choose among them as the classifier does.

    The teacher has to make its class vectors out of names, in the time that captions leave; here nothing else moves.
    `made_up` are features as the tuned upper part makes them, for which the classifier was kept working.
    """
    torch.manual_seed(seed)
    vectors = start.detach().clone().requires_grad_()
    scale = teacher.class_scale.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors, scale], lr=recipe.learning_rate)
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * warm_cosine(step, recipe.steps, warm_up=1)
        rows = torch.randint(len(seen.images), (recipe.batch,))
        made = made_up.draw(recipe.batch)
        classes = scale.exp() * functional.normalize(vectors, dim=1).T
        with torch.no_grad():
            imagined = teacher.images(made)
        loss = divergence(seen.images[rows] @ classes, seen.logits[rows].float())
        loss = loss + recipe.made_up_weight * divergence(imagined @ classes, backbone.logits(made))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return functional.normalize(vectors.detach(), dim=1)
