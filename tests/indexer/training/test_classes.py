"""What classes are called, and made-up pictures of them."""

from __future__ import annotations

import random

import torch

from indexer.training.backbone import Backbone
from indexer.training.classes import ClassTexts, MadeUpFeatures
from indexer.training.corpus import Corpus


def test_names_and_phrases_of_every_class() -> None:
    corpus = Corpus()
    classes = ClassTexts.of([("tench", "Tinca tinca"), ("cock",)], corpus)
    assert len(classes) == 2
    assert [corpus.texts[number] for number in classes.first] == ["tench", "cock"]
    assert [corpus.texts[number] for number in classes.names[0]] == ["tench", "Tinca tinca"]
    assert [corpus.texts[number] for number in classes.phrased[1]] == ["a photo of a cock", "a cock"]
    drawn = [classes.draw(1, random.Random(seed)) for seed in range(100)]
    assert set(drawn) == {*classes.names[1], *classes.phrased[1]}
    assert 30 < drawn.count(classes.first[1]) < 70  # half of the time


def test_the_classifier_knows_what_is_made_up() -> None:
    torch.manual_seed(0)
    photos = torch.rand(200, 40)
    classifier = torch.randn(5, 40)
    backbone = Backbone(torch.nn.Identity(), classifier, torch.zeros(5), [("x",)] * 5)
    made = MadeUpFeatures(backbone, photos).draw(300)
    assert made.shape == (300, 40)
    assert 0 <= float(made.min()) < float(made.max()) <= 6
    sure = torch.softmax(backbone.logits(made), dim=1).max(dim=1).values
    of_photos = torch.softmax(backbone.logits(photos), dim=1).max(dim=1).values
    assert float(sure.mean()) > float(of_photos.mean()) + 0.1
    assert set(backbone.logits(made).argmax(dim=1).tolist()) == set(range(5))
