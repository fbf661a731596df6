"""Makes the built-in model `mini`: shards and a backbone in, an open_clip model folder out.

As docs/training.md tells: a teacher learns pictures in terms of a sentence encoder, first alone and then together with
the upper part of the backbone; a small text tower learns from the teacher what every text means.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from indexer.errors import InvalidTraining, TrainingError
from indexer.training.backbone import HEIGHT, TIMM_MODEL, WIDTH, Backbone, UpperPart, load_backbone
from indexer.training.class_vectors import ClassVectorRecipe, SeenPictures, fit_class_vectors
from indexer.training.classes import MadeUpFeatures
from indexer.training.export import export
from indexer.training.features import FeatureStore, Maps, pool
from indexer.training.heldout import Embedded, HeldOutRecall, recall_of
from indexer.training.material import Material, MiniSources, Views, gather
from indexer.training.pairs import Pairs
from indexer.training.sentences import SentenceEncoder, sentence_vectors
from indexer.training.student import Student, StudentRecipe
from indexer.training.student_training import StudentTraining, TextLessons, meanings_of
from indexer.training.teacher import Teacher, TeacherRecipe
from indexer.training.teacher_training import Lessons, TeacherTraining
from indexer.training.text import CLEANING, CONTEXT

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MiniRecipe:
    """How `mini` is made: every choice that changes the result."""

    teacher: TeacherRecipe = field(default_factory=TeacherRecipe)
    classes: ClassVectorRecipe = field(default_factory=ClassVectorRecipe)
    student: StudentRecipe = field(default_factory=StudentRecipe)
    views: Views = field(default_factory=Views)
    hold_out: int = 0
    """Captioned pictures, the last ones, that are not trained on and measure recall after each stage."""
    seed: int = 0


def make_mini(
    sources: MiniSources, out: Path, recipe: MiniRecipe, encoder: SentenceEncoder, cache: Path | None = None
) -> dict[str, HeldOutRecall]:
    """Writes the model folder `out`; returns the recall after each stage, by its name, if pictures are held out.

    With `cache`, features and sentence vectors are kept there and found again by the next run. The same sources,
    recipe and encoder give the same model on the same machine and number of threads. Raises `SourceNotFound`,
    `InvalidDataset`, `InvalidTraining`, `ModelLoadFailed` and `TrainingError`.
    """
    with ExitStack() as stack:
        folder = cache or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-mini-")))
        for wanted in (out, folder):
            try:
                wanted.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InvalidTraining(f"the folder {str(wanted)!r} cannot be made ({error.strerror})") from error
        backbone = load_backbone(sources.backbone)
        store = FeatureStore(folder, backbone)
        material = gather(sources, backbone, store, views=recipe.views, hold_out=recipe.hold_out, seed=recipe.seed)
        vectors = sentence_vectors(encoder, material.corpus.texts, folder)
        return _Making(material, vectors, backbone, recipe).run(out)


class _Making:
    """From what was gathered to the model folder, stage after stage."""

    def __init__(self, material: Material, vectors: torch.Tensor, backbone: Backbone, recipe: MiniRecipe) -> None:
        self._material, self._vectors, self._backbone, self._recipe = material, vectors, backbone, recipe
        self._upper = UpperPart(backbone.trunk)
        self._recalls: dict[str, HeldOutRecall] = {}

    def run(self, out: Path) -> dict[str, HeldOutRecall]:
        teacher = self._teach()
        student, vocabulary = self._learn(teacher, self._find_classes(teacher))
        config = model_config(self._recipe, vocabulary)
        export(out, config, full_state(self._backbone.trunk, teacher, student))
        _LOG.info("the model is in %s", out)
        return self._recalls

    def _teach(self) -> Teacher:
        material = self._material
        lessons = Lessons(self._backbone, material.captioned, material.sides, material.classes, self._vectors)
        training = TeacherTraining(lessons, self._upper, self._recipe.teacher, self._recipe.seed)
        teacher = training.teacher
        for stage in self._recipe.teacher.stages:
            training.run(stage)
            self._measure(f"teacher, {stage.name}", teacher, lambda numbers: teacher.texts(self._vectors[numbers]))
        return teacher

    def _find_classes(self, teacher: Teacher) -> torch.Tensor:
        """The vectors of the classes, `(classes, dimension)`."""
        material, backbone, recipe = self._material, self._backbone, self._recipe
        shown = [material.captioned, *(side.pairs for side in material.sides)]
        images = [self._embed(teacher, maps) for pairs in shown for maps in pairs.features.maps]
        logits = [backbone.logits(before).half() for pairs in shown for before in pairs.features.pooled]
        made_up = MadeUpFeatures(backbone, pool(self._upper, material.captioned.features.maps[0]))
        with torch.no_grad():
            start = teacher.classes(self._vectors[list(material.classes.first)])
        seen = SeenPictures(torch.cat(images), torch.cat(logits))
        return fit_class_vectors(teacher, start, seen, made_up, backbone, recipe.classes, recipe.seed)

    def _learn(self, teacher: Teacher, of_classes: torch.Tensor) -> tuple[Student, int]:
        """The student, and the size of its vocabulary."""
        material, recipe = self._material, self._recipe.student
        meanings = meanings_of(teacher, self._vectors, material.classes, of_classes, recipe.own_meaning)
        captioned = material.captioned
        pictures = torch.stack([self._embed(teacher, maps) for maps in captioned.features.maps])
        lessons = TextLessons(material.corpus, material.classes, meanings, pictures, captioned.texts)
        training = StudentTraining(lessons, recipe, self._recipe.seed)
        student = training.run()
        self._measure("student", teacher, lambda numbers: training.encode([material.corpus.texts[n] for n in numbers]))
        return student, training.tokens.vocabulary

    def _embed(self, teacher: Teacher, maps: Maps) -> torch.Tensor:
        with torch.no_grad():
            return teacher.images(pool(self._upper, maps))

    def _measure(self, stage: str, teacher: Teacher, texts: Callable[[list[int]], torch.Tensor]) -> None:
        """Recall on the pictures held out, if there are any; `texts` turns numbers of the corpus into unit rows."""
        held_out = self._material.held_out
        if held_out is None:
            return
        numbers, owner = _captions_of(held_out)
        with torch.no_grad():
            rows = self._embed(teacher, held_out.features.maps[0]), texts(numbers)
        recall = recall_of(Embedded(rows, owner))
        if recall is None:
            raise TrainingError(f"after the stage {stage!r} embeddings are not numbers any more")
        self._recalls[stage] = recall
        both = (
            " / ".join(f"{100 * value:.1f}" for value in way) for way in (recall.text_to_image, recall.image_to_text)
        )
        _LOG.info("%s: held-out R@1 / 5 / 10, text->image %s, image->text %s", stage, *both)


def _captions_of(pairs: Pairs) -> tuple[list[int], tuple[int, ...]]:
    """Numbers in the corpus of all captions, and the picture that each belongs to."""
    both = [(text.number, row) for row, texts in enumerate(pairs.texts) for text in texts]
    return [number for number, _ in both], tuple(row for _, row in both)


def model_config(recipe: MiniRecipe, vocabulary: int) -> dict[str, Any]:
    """What open_clip needs to build the model, its preprocessing and its tokenizer from `local-dir:`."""
    vision = {
        "timm_model_name": TIMM_MODEL,
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "timm_proj_bias": True,
        "image_size": [HEIGHT, WIDTH],
    }
    text = {
        "context_length": CONTEXT,
        "vocab_size": vocabulary,
        "width": recipe.student.width,
        "heads": recipe.student.heads,
        "layers": recipe.student.layers,
        "tokenizer_kwargs": {"clean": CLEANING},
    }
    half = [0.5, 0.5, 0.5]
    return {
        "model_cfg": {
            "embed_dim": recipe.teacher.dimension,
            "custom_text": True,
            "vision_cfg": vision,
            "text_cfg": text,
        },
        "preprocess_cfg": {"mean": half, "std": half, "interpolation": "bicubic", "resize_mode": "squash"},
    }


def full_state(trunk: torch.nn.Module, teacher: Teacher, student: Student) -> dict[str, torch.Tensor]:
    """open_clip's names for the weights of all parts."""
    state = {f"visual.trunk.{name}": tensor for name, tensor in trunk.state_dict().items()}
    state["visual.head.proj.weight"], state["visual.head.proj.bias"] = teacher.head()
    state |= {f"text.{name}": tensor for name, tensor in student.tower.state_dict().items()}
    state["logit_scale"] = teacher.logit_scale.detach()
    return state
