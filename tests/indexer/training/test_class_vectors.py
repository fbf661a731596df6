"""Class vectors come to say what the classifier says."""

from __future__ import annotations

import torch

from indexer.training.backbone import Backbone
from indexer.training.class_vectors import ClassVectorRecipe, SeenPictures, fit_class_vectors
from indexer.training.classes import MadeUpFeatures
from indexer.training.teacher import Teacher, TeacherRecipe

CLASSES = 5


def test_pictures_choose_among_them_as_the_classifier_does() -> None:
    torch.manual_seed(0)
    photos = torch.rand(300, 40)
    backbone = Backbone(torch.nn.Identity(), 3 * torch.randn(CLASSES, 40), torch.zeros(CLASSES), [("x",)] * CLASSES)
    teacher = Teacher(photos, 8, CLASSES, TeacherRecipe(dimension=24, hidden=8)).eval()
    with torch.no_grad():
        seen = SeenPictures(teacher.images(photos), backbone.logits(photos).half())
    start = torch.nn.functional.normalize(torch.randn(CLASSES, 24), dim=1)
    made_up = MadeUpFeatures(backbone, photos)
    recipe = ClassVectorRecipe(steps=200, batch=64, learning_rate=2e-2, made_up_weight=0.1)
    found, again = (fit_class_vectors(teacher, start, seen, made_up, backbone, recipe, 0) for _ in range(2))

    def agreement(vectors: torch.Tensor) -> float:
        chosen = (seen.images @ vectors.T).argmax(dim=1)
        return float((chosen == seen.logits.argmax(dim=1)).float().mean())

    assert agreement(found) > 0.75 > agreement(start) + 0.2
    assert torch.allclose(found.norm(dim=1), torch.ones(CLASSES))
    assert torch.equal(found, again)
