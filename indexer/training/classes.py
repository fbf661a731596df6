"""The classes that the backbone was trained on: what they are called, and pictures of them that never were.

The backbone learned 1,000 classes from 1.3 million photos, of which none are here. What is left of them is the
classifier, and two things are made of it: it says of any picture how much it looks like each class, which the teacher
learns to say from the classes' names; and it tells in which direction of feature space a class lies.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from indexer.training.backbone import Backbone
from indexer.training.corpus import Corpus

_PHRASED = ("a photo of a {}", "a {}")


@dataclass(frozen=True, slots=True)
class ClassTexts:
    """Numbers in the corpus, for each of the classes."""

    first: tuple[int, ...]
    """The first name, which stands for the class where one has to: `tench`."""
    names: tuple[tuple[int, ...], ...]
    """All names, as they are."""
    phrased: tuple[tuple[int, ...], ...]
    """All names, in `a photo of a {}` and `a {}`."""

    @classmethod
    def of(cls, class_names: Sequence[Sequence[str]], corpus: Corpus) -> ClassTexts:
        names = tuple(tuple(corpus.add(name, "name") for name in synonyms) for synonyms in class_names)
        phrased = tuple(
            tuple(corpus.add(phrase.format(name), "name") for name in synonyms for phrase in _PHRASED)
            for synonyms in class_names
        )
        return cls(tuple(synonyms[0] for synonyms in names), names, phrased)

    def __len__(self) -> int:
        return len(self.first)

    def draw(self, number: int, rng: random.Random) -> int:
        """A text of one class; half of the time a name alone."""
        return rng.choice((self.names if rng.random() < 0.5 else self.phrased)[number])


class MadeUpFeatures:
    """Features as a photo of a class could have them.

    A classifier's row w says which direction in feature space means the class. The features of a random one of
    `photos`, `(n, 1280)`, are drawn a third of the way to their mean and moved 6 to 18 units along C^(1/2) w, with C
    the covariance of the photos. Of C^p w for p from 0 to 1, p = 1/2 agreed best with the means of real photos of 200
    classes: cosine 0.53, against 0.31 for w and 0.46 for C w.
    """

    def __init__(self, backbone: Backbone, photos: torch.Tensor) -> None:
        self._photos = photos
        self._mean = photos.mean(dim=0)
        rows = backbone.classifier - backbone.classifier.mean(dim=0)
        self._directions = torch.nn.functional.normalize(rows @ _root_of_covariance(photos), dim=1)

    def draw(self, count: int) -> torch.Tensor:
        """`(count, 1280)`, of random classes, by torch's random numbers."""
        directions = self._directions[torch.randint(len(self._directions), (count,))]
        drawn = self._photos[torch.randint(len(self._photos), (count,))]
        length = 6 + 12 * torch.rand(count, 1)
        # The backbone's last activation is ReLU6.
        return (self._mean + (drawn - self._mean) * 2 / 3 + length * directions).clamp(0, 6)


def _root_of_covariance(rows: torch.Tensor) -> torch.Tensor:
    centred = rows - rows.mean(dim=0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
    root: torch.Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root
