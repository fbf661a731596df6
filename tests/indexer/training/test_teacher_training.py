"""The teacher learns captions and classes; the upper part moves only where the stage says so."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from indexer.errors import TrainingError
from indexer.training.backbone import UpperPart, load_backbone
from indexer.training.classes import ClassTexts
from indexer.training.corpus import Corpus
from indexer.training.features import FeatureStore
from indexer.training.pairs import Pairs, Text
from indexer.training.teacher import Stage, TeacherRecipe
from indexer.training.teacher_training import Lessons, TeacherTraining
from indexer.training.views import View
from tests.indexer.training.madeup import WordVectors, jpeg, write_backbone
from tests.palette import COLOURS

FROZEN = Stage("frozen", 40, 1e-2, weight_decay=0.0, blended=0.5, feature_dropout=0.0)
TUNED = Stage("tuned", 1, 1e-3, weight_decay=0.0, upper_rate=1e-3)
TINY = TeacherRecipe(dimension=16, hidden=16, stages=(FROZEN, TUNED), warm_up=5, made_up=8, averaging=0.8)


def lessons(folder: Path) -> Lessons:
    backbone = load_backbone(write_backbone(folder / "backbone"))
    pictures = [jpeg(colour) for colour in COLOURS.values()]
    features = FeatureStore(folder / "cache", backbone).features("colours", pictures, (View("whole"),))
    corpus = Corpus()
    said = tuple((Text(corpus.add(f"a {name} wall", "caption"), i),) for i, name in enumerate(COLOURS))
    classes = ClassTexts.of(backbone.class_names, corpus)
    vectors = torch.from_numpy(WordVectors().encode(corpus.texts))
    return Lessons(backbone, Pairs(features, said), (), classes, vectors)


def test_captions_find_their_pictures_and_pictures_their_classes(tmp_path: Path) -> None:
    given = lessons(tmp_path)
    upper = UpperPart(given.backbone.trunk)
    training = TeacherTraining(given, upper, TINY, seed=0)
    before = [parameter.detach().clone() for parameter in upper.parameters()]
    training.run(FROZEN)
    assert all(map(torch.equal, before, upper.parameters()))
    teacher, pooled = training.teacher, given.captioned.features.pooled[0]
    with torch.no_grad():
        images, texts = teacher.images(pooled), teacher.texts(given.vectors[: len(COLOURS)])
        assert (texts @ images.T).argmax(dim=1).tolist() == list(range(len(COLOURS)))
        classes = teacher.classes(given.vectors[list(given.classes.first)])
        said = teacher.class_logits(images, classes).softmax(dim=1)
    wanted = given.backbone.logits(pooled).softmax(dim=1)
    assert float((said - wanted).abs().mean()) < 0.5 * float((1 / 6 - wanted).abs().mean())
    weight, bias = teacher.head()
    assert torch.allclose(torch.nn.functional.normalize(pooled @ weight.T + bias, dim=1), images, atol=1e-5)
    training.run(TUNED)
    assert not all(map(torch.equal, before, upper.parameters()))


def test_a_loss_that_is_no_number_ends_it(tmp_path: Path) -> None:
    given = lessons(tmp_path)
    given.vectors.fill_(math.nan)
    training = TeacherTraining(given, UpperPart(given.backbone.trunk), TINY, seed=0)
    with pytest.raises(TrainingError, match=r"frozen, epoch 1"):
        training.run(FROZEN)
