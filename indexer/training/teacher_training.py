"""Trains the teacher on captions, on labels and titles, and on what the backbone's own classifier says."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional

from indexer.errors import TrainingError
from indexer.training.backbone import Backbone, UpperPart
from indexer.training.classes import ClassTexts, MadeUpFeatures
from indexer.training.features import as_planes
from indexer.training.losses import divergence, same_group, softmax_loss
from indexer.training.pairs import Pairs, Text
from indexer.training.schedule import RunningAverage, warm_cosine
from indexer.training.teacher import Stage, Teacher, TeacherRecipe

_LOG = logging.getLogger(__name__)
_LARGEST_SCALE = 60.0
_LEAST_SIDE_BATCH = 12


@dataclass(frozen=True, slots=True)
class SidePairs:
    """Pictures of another shard, of which each step draws a few into a softmax of their own."""

    pairs: Pairs
    batch: int
    """Pictures a step."""
    like_classes: bool = False
    """Whether the classifier is asked about them: photos such as it was trained on."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the teacher learns from."""

    backbone: Backbone
    captioned: Pairs
    sides: tuple[SidePairs, ...]
    classes: ClassTexts
    vectors: torch.Tensor
    """float32 `(texts, d)`: the sentence vectors of the corpus."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """One view of some pictures: what the upper part makes of them now, and what it made before it was trained."""

    pooled: torch.Tensor
    before: torch.Tensor


class TeacherTraining:
    """`run(stage)` for one stage after the other trains `teacher`, and `upper` in the stages that say so.

    The same lessons, recipe and seed give the same weights on the same machine and number of threads.
    """

    def __init__(self, lessons: Lessons, upper: UpperPart, recipe: TeacherRecipe, seed: int) -> None:
        torch.manual_seed(seed)
        self._rng = random.Random(seed)
        self._lessons, self._recipe, self._upper = lessons, recipe, upper
        whole = lessons.captioned.features.pooled[0]
        self.teacher = Teacher(whole, lessons.vectors.shape[1], len(lessons.classes), recipe)
        self._made_up = MadeUpFeatures(lessons.backbone, whole)
        self._stage = recipe.stages[0]

    def run(self, stage: Stage) -> None:
        """Raises `TrainingError` when the loss is not a number any more."""
        self._stage = stage
        recipe, count = self._recipe, len(self._lessons.captioned)
        batch = min(recipe.batch, count)
        steps_an_epoch = count // batch
        groups = self._groups(stage)
        parameters = [parameter for group in groups for parameter in group["params"]]
        optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
        peaks = [group["lr"] for group in groups]
        average = RunningAverage(parameters)
        self.teacher.train()
        for epoch in range(stage.epochs):
            order = torch.randperm(count)
            losses = []
            for i in range(steps_an_epoch):
                step = epoch * steps_an_epoch + i
                for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                    group["lr"] = peak * warm_cosine(step, stage.epochs * steps_an_epoch, recipe.warm_up)
                loss = self._loss(order[i * batch : (i + 1) * batch].tolist())
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
                optimizer.step()
                # A short memory at first, while the weights are still far from where they go.
                average.update(min(recipe.averaging, 0.9) if step < 50 else recipe.averaging)
                losses.append(float(loss.detach()))
            mean = sum(losses) / len(losses)
            if not mean < float("inf"):
                raise TrainingError(f"the teacher's loss is not a number any more ({stage.name}, epoch {epoch + 1})")
            _LOG.info("teacher, %s: epoch %d of %d, loss %.3f", stage.name, epoch + 1, stage.epochs, mean)
        average.apply()
        self.teacher.eval()

    def _groups(self, stage: Stage) -> list[dict[str, Any]]:
        matrices, rest = list[torch.nn.Parameter](), list[torch.nn.Parameter]()
        for parameter in self.teacher.parameters():
            decays = parameter.ndim > 1 and parameter is not self.teacher.shift
            (matrices if decays else rest).append(parameter)
        groups: list[dict[str, Any]] = [
            {"params": matrices, "lr": stage.learning_rate, "weight_decay": stage.weight_decay},
            {"params": rest, "lr": stage.learning_rate, "weight_decay": 0.0},
        ]
        if stage.upper_rate is not None:
            upper = list(self._upper.parameters())
            groups.append({"params": upper, "lr": stage.upper_rate, "weight_decay": stage.upper_decay})
        return groups

    def _loss(self, rows: list[int]) -> torch.Tensor:
        recipe, stage, teacher, lessons = self._recipe, self._stage, self.teacher, self._lessons
        drawn = [lessons.classes.draw(number, self._rng) for number in range(len(lessons.classes))]
        classes = teacher.classes(lessons.vectors[drawn])
        shown = self._show_captioned(rows)
        images = teacher.images(shown.pooled, stage.feature_dropout)
        captions, vectors = self._captions(rows)
        loss = self._contrast(images, teacher.texts(vectors), captions)
        distance = self._divergence(images, shown.before, classes)
        if stage.upper_rate is not None:
            logits, before = map(lessons.backbone.logits, (shown.pooled, shown.before))
            distance = distance + recipe.keep_classes * divergence(logits, before)
        made = self._made_up.draw(recipe.made_up)
        others, other_images = [made], [teacher.images(made, stage.feature_dropout)]
        for side in lessons.sides:
            shown, images, side_loss = self._side(side)
            loss = loss + stage.side_weight * side_loss
            if side.like_classes:
                others.append(shown.before)
                other_images.append(images)
        distance = distance + self._divergence(torch.cat(other_images), torch.cat(others), classes)
        shift = teacher.shift.square().sum(dim=1).mean()
        return loss + stage.class_weight * distance + recipe.shift_decay * shift

    def _side(self, side: SidePairs) -> tuple[_Shown, torch.Tensor, torch.Tensor]:
        count = max(_LEAST_SIDE_BATCH, int(side.batch * self._stage.side_share))
        rows = self._rng.sample(range(len(side.pairs)), min(count, len(side.pairs)))
        shown = self._show(side.pairs, rows)
        images = self.teacher.images(shown.pooled, self._stage.feature_dropout)
        texts = side.pairs.draw(rows, self._rng)
        vectors = self._lessons.vectors[[text.number for text in texts]]
        return shown, images, self._contrast(images, self.teacher.texts(vectors), texts)

    def _contrast(self, images: torch.Tensor, texts: torch.Tensor, said: Sequence[Text]) -> torch.Tensor:
        scale = self.teacher.logit_scale.exp().clamp(max=_LARGEST_SCALE)
        return softmax_loss(images, texts, scale, None, same_group([text.group for text in said]))

    def _divergence(self, images: torch.Tensor, before: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """How far the teacher's classes are from what the classifier says of the same pictures."""
        return divergence(self.teacher.class_logits(images, classes), self._lessons.backbone.logits(before))

    def _show_captioned(self, rows: list[int]) -> _Shown:
        captioned = self._lessons.captioned
        shown = self._show(captioned, rows)
        if self._rng.random() >= self._stage.blended:
            return shown
        other = self._show(captioned, rows)
        blend = torch.lerp(other.pooled, shown.pooled, torch.rand(len(rows), 1))
        return _Shown(blend, blend)

    def _show(self, pairs: Pairs, rows: list[int]) -> _Shown:
        """One random view, the same for all of the rows."""
        view = self._rng.randrange(len(pairs.features.maps))
        before = pairs.features.pooled[view, rows]
        if self._stage.upper_rate is None:
            return _Shown(before, before)
        return _Shown(self._upper(as_planes(pairs.features.maps[view][rows])), before)

    def _captions(self, rows: list[int]) -> tuple[list[Text], torch.Tensor]:
        """A caption of each picture, and its sentence vector, which may lie on the way to another caption's."""
        captioned, vectors = self._lessons.captioned, self._lessons.vectors
        texts, others = captioned.draw(rows, self._rng), captioned.draw(rows, self._rng)
        share = torch.rand(len(rows), 1) * (torch.rand(len(rows), 1) < self._stage.caption_mixing)
        mixed = torch.lerp(vectors[[text.number for text in texts]], vectors[[text.number for text in others]], share)
        return texts, functional.normalize(mixed, dim=1)
