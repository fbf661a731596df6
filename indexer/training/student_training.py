"""Trains the text tower to say of every text what the teacher says of it."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional

from indexer.errors import TrainingError
from indexer.training.classes import ClassTexts
from indexer.training.corpus import Corpus
from indexer.training.losses import divergence, one_way_loss
from indexer.training.misspelling import changed
from indexer.training.pairs import Text
from indexer.training.schedule import RunningAverage, warm_cosine
from indexer.training.student import Student, StudentRecipe, TokenLists
from indexer.training.teacher import Teacher

_LOG = logging.getLogger(__name__)
_PART = 8192
_FIRST_NAMES = 0.2
"""Share of the classes shown by their first name whatever else is drawn: it is the one that stands for the class."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the teacher says, in unit rows."""

    texts: torch.Tensor
    """`(texts, dimension)`: of the whole corpus."""
    classes: torch.Tensor
    """`(classes, dimension)`."""


@dataclass(frozen=True, slots=True)
class TextLessons:
    """What the student learns from."""

    corpus: Corpus
    classes: ClassTexts
    meanings: Meanings
    pictures: torch.Tensor
    """float32 `(views, n, dimension)`: the captioned pictures, by the teacher."""
    captions: tuple[tuple[Text, ...], ...]
    """Of each of these n pictures."""


def meanings_of(
    teacher: Teacher, vectors: torch.Tensor, classes: ClassTexts, of_classes: torch.Tensor, own_meaning: float
) -> Meanings:
    """The teacher's vectors of all texts; `of_classes`, `(classes, dimension)`, are those of the classes.

    A name of a class means the class, with all that its pictures taught; in a phrase it keeps `own_meaning` of what
    that says itself, against 1 of the class.
    """
    with torch.no_grad():
        texts = torch.cat([teacher.texts(part) for part in torch.split(vectors, _PART)])
        for number, (names, phrased) in enumerate(zip(classes.names, classes.phrased, strict=True)):
            texts[list(names)] = of_classes[number]
            own = texts[list(phrased)]
            texts[list(phrased)] = functional.normalize(of_classes[number] + own_meaning * own, dim=-1)
        # Some names are those of several classes; the first name of one stands for that.
        texts[list(classes.first)] = of_classes
    return Meanings(texts, of_classes)


class StudentTraining:
    """`run()` trains a student; the same lessons, recipe and seed give the same weights on the same machine and number
    of threads."""

    def __init__(self, lessons: TextLessons, recipe: StudentRecipe, seed: int) -> None:
        torch.manual_seed(seed)
        self._rng = random.Random(seed)
        self._lessons, self._recipe = lessons, recipe
        self.tokens = TokenLists(recipe.text_length)
        self.student = Student(recipe, self.tokens.vocabulary, lessons.meanings.texts.shape[1])
        self._start_from_words()
        self._mix = [
            (kind, max(1, int(share * recipe.others))) for kind, share in recipe.mix if kind in lessons.corpus.kinds
        ]
        self._order: list[int] = []

    def _start_from_words(self) -> None:
        """Texts that are one token give it its first vector; of several such texts the last."""
        lessons, found = self._lessons, dict[int, int]()
        for kind in ("word", "name"):
            for number in lessons.corpus.kinds.get(kind, ()):
                tokens = self.tokens.of(lessons.corpus.texts[number])
                if len(tokens) == 3:  # between the start and the end token
                    found[tokens[1]] = number
        self.student.start_from(list(found), lessons.meanings.texts[list(found.values())])
        _LOG.info("student: %d tokens start as words", len(found))

    def run(self) -> Student:
        """Raises `TrainingError` when the loss is not a number any more."""
        recipe, student, losses = self._recipe, self.student, list[float]()
        dense, optimizers = self._optimizers()
        average: RunningAverage | None = None
        for step in range(recipe.steps):
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = recipe.learning_rate * warm_cosine(step, recipe.steps, recipe.warm_up)
                optimizer.zero_grad()
            loss = self._loss()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(dense, recipe.clip_norm)
            for optimizer in optimizers:
                optimizer.step()
            if average is None and 2 * step >= recipe.steps:
                average = RunningAverage(student.parameters())
            elif average is not None and step % 4 == 0:
                average.update(recipe.averaging)
            losses.append(float(loss.detach()))
            if (step + 1) % 200 == 0 or step + 1 == recipe.steps:
                mean = sum(losses) / len(losses)
                if not mean < float("inf"):
                    raise TrainingError(f"the loss of the student is not a number any more (step {step + 1})")
                _LOG.info("student: step %d of %d, loss %.3f", step + 1, recipe.steps, mean)
                losses.clear()
        if average is not None:
            average.apply()
        return student.eval()

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """What the student makes of texts now: unit rows `(n, dimension)`."""
        with torch.no_grad():
            rows: torch.Tensor = self.student([self.tokens.of(text) for text in texts])
        return rows

    def _optimizers(self) -> tuple[list[torch.nn.Parameter], list[Any]]:
        """AdamW for what is not the token table, first as a list; SparseAdam for the table."""
        matrices, rest = list[torch.nn.Parameter](), list[torch.nn.Parameter]()
        for name, parameter in self.student.named_parameters():
            if parameter is not self.student.table:
                (matrices if parameter.ndim > 1 and "positional" not in name else rest).append(parameter)
        groups = [
            {"params": matrices, "weight_decay": self._recipe.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        betas, rate = (0.9, 0.98), self._recipe.learning_rate
        return [*matrices, *rest], [
            torch.optim.AdamW(groups, lr=rate, betas=betas),
            torch.optim.SparseAdam([self.student.table], lr=rate, betas=betas),
        ]

    def _loss(self) -> torch.Tensor:
        recipe, lessons, rng = self._recipe, self._lessons, self._rng
        rows = self._next_pictures()
        captions = [rng.choice(lessons.captions[row]) for row in rows]
        classes = rng.sample(range(len(lessons.classes)), min(recipe.classes, len(lessons.classes)))
        numbers = [text.number for text in captions]
        numbers += [self._text_of_class(number) for number in classes]
        for kind, count in self._mix:
            numbers += rng.choices(lessons.corpus.kinds[kind], k=count)

        made = self.student([self.tokens.of(changed(lessons.corpus.texts[number], rng)) for number in numbers])
        meant = lessons.meanings.texts[numbers]
        views = torch.randint(len(lessons.pictures), (len(rows),))
        shown = lessons.pictures[views, rows]
        scores, wanted = (recipe.picture_scale * side[: len(rows)] @ shown.T for side in (made, meant))
        pictures = divergence(scores, wanted) + divergence(scores.T, wanted.T)
        cosines = (made * meant).sum(dim=1)
        # Captions and the rest count the same, whichever are more.
        likeness = 2 - cosines[: len(captions)].mean() - cosines[len(captions) :].mean()
        alike = (meant @ meant.T > recipe.same_meaning).fill_diagonal_(False)
        naming = one_way_loss(made, meant, recipe.naming_scale, alike)
        of_classes = made[len(captions) : len(captions) + len(classes)]
        logits = recipe.class_scale * of_classes @ lessons.meanings.classes.T
        loss: torch.Tensor = (
            recipe.picture_weight * pictures
            + recipe.likeness_weight * likeness
            + recipe.naming_weight * naming
            + recipe.class_weight * functional.cross_entropy(logits, torch.tensor(classes))
        )
        return loss

    def _next_pictures(self) -> list[int]:
        """Every picture once before any comes again, but for those left over by the last batch."""
        count = min(self._recipe.captions, len(self._lessons.captions))
        if len(self._order) < count:
            self._order = torch.randperm(len(self._lessons.captions)).tolist()
        rows, self._order = self._order[:count], self._order[count:]
        return rows

    def _text_of_class(self, number: int) -> int:
        classes = self._lessons.classes
        return classes.first[number] if self._rng.random() < _FIRST_NAMES else classes.draw(number, self._rng)
