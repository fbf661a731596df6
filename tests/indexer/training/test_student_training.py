"""The student says what the teacher says."""

from __future__ import annotations

import torch

from indexer.training.classes import ClassTexts
from indexer.training.corpus import Corpus
from indexer.training.pairs import Text
from indexer.training.student import StudentRecipe
from indexer.training.student_training import Meanings, StudentTraining, TextLessons, meanings_of
from indexer.training.teacher import Teacher, TeacherRecipe

DIMENSION = 12
TINY = StudentRecipe(
    width=24, heads=2, layers=1, steps=80, captions=6, others=12, classes=2, learning_rate=5e-3, warm_up=5
)


def unit(rows: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, DIMENSION), dim=1)


def test_names_mean_their_class_and_phrases_mostly() -> None:
    torch.manual_seed(0)
    corpus = Corpus()
    classes = ClassTexts.of([("crane", "bird"), ("derrick", "crane")], corpus)
    corpus.add("a red dog", "caption")
    teacher = Teacher(torch.rand(5, 6), 4, 2, TeacherRecipe(dimension=DIMENSION, hidden=8)).eval()
    vectors, of_classes = torch.randn(len(corpus), 4), unit(2)
    texts = meanings_of(teacher, vectors, classes, of_classes, 0.3).texts
    crane, bird = classes.names[0]
    assert torch.equal(texts[crane], of_classes[0])  # a first name of one class, another name of the other
    assert torch.equal(texts[bird], of_classes[0])
    own = teacher.texts(vectors).detach()
    phrase = classes.phrased[1][0]
    assert texts[phrase] @ of_classes[1] > own[phrase] @ of_classes[1]
    assert not torch.equal(texts[phrase], of_classes[1])
    assert torch.allclose(texts[corpus.add("a red dog", "caption")], own[-1], atol=1e-6)


def test_it_learns_what_texts_mean_with_and_without_pictures() -> None:
    torch.manual_seed(0)
    corpus = Corpus()
    captions = [
        corpus.add(f"a {colour} wall", "caption") for colour in ["red", "green", "blue", "white", "black", "pink"]
    ]
    corpus.extend(["sofa", "couch", "tree", "river", "street"], "word")
    classes = ClassTexts.of([("tench",), ("cock",)], corpus)
    texts = unit(len(corpus))
    texts[list(classes.first)] = of_classes = unit(2)
    pictures = torch.nn.functional.normalize(texts[captions] + 0.1 * unit(6), dim=1)[None]
    said = tuple((Text(number, number),) for number in captions)
    lessons = TextLessons(corpus, classes, Meanings(texts, of_classes), pictures, said)
    training = StudentTraining(lessons, TINY, seed=0)
    before = (training.encode(corpus.texts) * texts).sum(dim=1).mean()
    training.run()
    made = training.encode(corpus.texts)
    assert float((made * texts).sum(dim=1).mean()) > 0.8 > float(before) + 0.3
    assert (made[captions] @ pictures[0].T).argmax(dim=1).tolist() == list(range(6))
    again = StudentTraining(lessons, TINY, seed=0)
    again.run()
    assert torch.equal(again.encode(corpus.texts), made)
