"""Pictures, labels and a classifier -> sources of pairs to train on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from indexer.training.backbone import Backbone
from indexer.training.contrastive import PairSource
from indexer.training.shards import Example
from indexer.training.text import CONTEXT, label_texts


class Groups:
    """Numbers for what texts say: the synonyms of an ImageNet class share one, whichever source they come from."""

    def __init__(self, classes: Sequence[Sequence[str]]) -> None:
        self._numbers: dict[str, int] = {}
        for number, names in enumerate(classes):
            for name in names:
                self._numbers.setdefault(_plain(name), number)
        self._next = len(classes)

    def of(self, text: str) -> int:
        plain = _plain(text)
        if plain not in self._numbers:
            self._numbers[plain] = self._next
            self._next += 1
        return self._numbers[plain]


def captioned_source(
    name: str, features: torch.Tensor, examples: Sequence[Example], groups: Groups, tokenizer: Any
) -> PairSource:
    """Each picture with its captions, and with its label if it has one; captions are its own group.

    `features` is `(views, n, features)` for the n examples. A picture with fewer texts than another has them repeated.
    """
    texts, numbers = [], []
    for i, example in enumerate(examples):
        names = label_texts([example.label]) if example.label else []
        texts.append([*example.captions, *names])
        label_group = groups.of(example.label) if example.label else 0
        # Below zero, so that no label shares the group of a caption.
        numbers.append([-1 - i] * len(example.captions) + [label_group] * len(names))
    return PairSource(name, features, *_padded(texts, numbers, tokenizer))


def class_source(
    backbone: Backbone, photos: torch.Tensor, groups: Groups, tokenizer: Any, *, views: int = 6, seed: int = 0
) -> PairSource:
    """The classes that the backbone was trained on, as pairs of made-up features and their names.

    A classifier's row w says which direction in feature space means the class. Here the features of `photos`
    `(n, features)` are drawn a third of the way to their mean and moved 8 to 16 units along C^(1/2) w, with C the
    covariance of the photos. (Of C^p w for p from 0 to 1, p = 1/2 agreed best with the means of real photos of
    200 classes: cosine 0.53, against 0.31 for w and 0.46 for C w.)
    """
    generator = torch.Generator().manual_seed(seed)
    mean = photos.mean(dim=0)
    rows = backbone.classifier - backbone.classifier.mean(dim=0)
    directions = torch.nn.functional.normalize(rows @ _root_of_covariance(photos), dim=1)
    count = len(directions)
    made = []
    for _ in range(views):
        drawn = photos[torch.randint(len(photos), (count,), generator=generator)]
        length = 8 + 8 * torch.rand(count, 1, generator=generator)
        made.append((mean + (drawn - mean) * 2 / 3 + length * directions).clamp(0, 6))
    texts = [label_texts(names) for names in backbone.class_names]
    numbers = [[groups.of(names[0])] * len(label_texts(names)) for names in backbone.class_names]
    return PairSource("classes", torch.stack(made), *_padded(texts, numbers, tokenizer))


def _root_of_covariance(rows: torch.Tensor) -> torch.Tensor:
    centred = rows - rows.mean(dim=0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
    root: torch.Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root


def _padded(
    texts: Sequence[Sequence[str]], numbers: Sequence[Sequence[int]], tokenizer: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lists of n different lengths, up to `choices` -> `(n, choices, context)` tokens and `(n, choices)` groups."""
    choices = max((len(row) for row in texts), default=1)
    flat = [row[i % len(row)] for row in texts for i in range(choices)]
    tokens = torch.cat([tokenizer(flat[i : i + 4096]) for i in range(0, len(flat), 4096)] or [_none()])
    groups = [row[i % len(row)] for row in numbers for i in range(choices)]
    return tokens.view(len(texts), choices, CONTEXT), torch.tensor(groups, dtype=torch.int64).view(len(texts), choices)


def _none() -> torch.Tensor:
    return torch.zeros(0, CONTEXT, dtype=torch.int64)


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").lower().split())
