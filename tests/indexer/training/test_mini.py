"""The whole recipe on made-up shards, the folder that comes out, and the model in the package."""

from __future__ import annotations

import json
import logging
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import data.render
import indexer.mini
from indexer.encoder import load_encoder
from indexer.errors import InvalidDataset, InvalidTraining, SourceNotFound
from indexer.recall import count_ranks, recall_at
from indexer.training import corpus as corpus_module
from indexer.training import phrases
from indexer.training.__main__ import main
from indexer.training.class_vectors import ClassVectorRecipe
from indexer.training.export import CONFIG_FILE, WEIGHTS_FILE
from indexer.training.material import MiniSources, Views
from indexer.training.mini import MiniRecipe, make_mini
from indexer.training.student import StudentRecipe
from indexer.training.teacher import Stage, TeacherRecipe
from indexer.training.views import View
from tests.indexer.training import test_wordnet
from tests.indexer.training.madeup import WordVectors, add_example, jpeg, write_backbone, write_shards
from tests.palette import COLOURS

_WHOLE = (View("whole"),)
TINY = MiniRecipe(
    teacher=TeacherRecipe(
        dimension=32,
        hidden=32,
        stages=(
            Stage("frozen", 60, 1e-2, weight_decay=0.0, blended=0.5, feature_dropout=0.0, class_weight=0.01),
            Stage("tuned", 2, 1e-4, weight_decay=0.0, upper_rate=1e-5, feature_dropout=0.0, class_weight=0.01),
        ),
        warm_up=5,
        made_up=8,
        averaging=0.8,
    ),
    classes=ClassVectorRecipe(steps=20, batch=16),
    student=StudentRecipe(
        width=32, heads=2, layers=1, steps=60, captions=10, others=20, classes=4, learning_rate=5e-3, warm_up=5
    ),
    views=Views(captioned=(View("whole"), View("mirrored")), sides=_WHOLE, rendered=_WHOLE),
)
ONE_STEP = replace(
    TINY,
    teacher=replace(TINY.teacher, stages=tuple(replace(stage, epochs=1) for stage in TINY.teacher.stages)),
    classes=ClassVectorRecipe(steps=1, batch=16),
    student=replace(TINY.student, steps=1),
    views=Views(_WHOLE, _WHOLE, _WHOLE),
)


@pytest.fixture(autouse=True)
def few_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    for count in ("_COLOURED", "_COUNTED", "_PLACED", "_PLACED_SHAPES"):
        monkeypatch.setattr(phrases, count, 20)
    monkeypatch.setattr(corpus_module, "_installed_descriptions", lambda: None)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> MiniSources:
    folder = tmp_path_factory.mktemp("mini")
    return MiniSources(write_shards(folder / "shards"), write_backbone(folder / "backbone"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features are the same for all tests, and computed once."""
    return tmp_path_factory.mktemp("features")


def test_a_short_training_makes_a_model_that_knows_its_pictures(
    tmp_path: Path, sources: MiniSources, cache: Path
) -> None:
    make_mini(sources, tmp_path, TINY, WordVectors(), cache)
    assert (tmp_path / WEIGHTS_FILE).stat().st_size < 25_000_000
    assert json.loads((tmp_path / CONFIG_FILE).read_text())["model_cfg"]["vision_cfg"]["image_size"] == [225, 224]
    encoder = load_encoder(f"local-dir:{tmp_path}", precision="float32")
    assert encoder.manifest.dimension == TINY.teacher.dimension
    texts = encoder.encode_texts([f"A {name} wall on a hill" for name in COLOURS])
    images = encoder.encode_images(np.stack([np.full((225, 224, 3), c, np.uint8) for c in COLOURS.values()]))
    assert recall_at(1, count_ranks(texts @ images.T, np.arange(10)).worst) >= 0.6  # by chance 0.1


def test_the_same_seed_makes_the_same_model(tmp_path: Path, sources: MiniSources, cache: Path) -> None:
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_mini(sources, tmp_path / folder, replace(ONE_STEP, seed=seed), WordVectors(), cache)
    a, b, c = ((tmp_path / folder / WEIGHTS_FILE).read_bytes() for folder in "abc")
    assert a == b != c


def test_the_upper_part_moves_and_the_lower_does_not(tmp_path: Path, sources: MiniSources, cache: Path) -> None:
    frozen, tuned = ONE_STEP.teacher.stages
    for folder, stages in (("frozen", (frozen,)), ("tuned", (frozen, replace(tuned, upper_rate=1e-2)))):
        recipe = replace(ONE_STEP, teacher=replace(ONE_STEP.teacher, stages=stages))
        make_mini(sources, tmp_path / folder, recipe, WordVectors(), cache)
    before, after = (load_file(tmp_path / folder / WEIGHTS_FILE) for folder in ("frozen", "tuned"))
    trunk = {name for name in before if name.startswith("visual.trunk.")}
    moved = {name for name in trunk if not before[name].equal(after[name])}
    assert moved
    assert {name.split(".")[2] for name in moved} <= {"blocks", "conv_head", "bn2"}
    assert {name.split(".")[3] for name in moved if ".blocks." in name} == {"5", "6"}
    assert not any("running" in name for name in moved)


def test_recall_is_measured_after_each_stage_on_pictures_held_out(
    tmp_path: Path, sources: MiniSources, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        recalls = make_mini(sources, tmp_path, replace(ONE_STEP, hold_out=4), WordVectors(), cache)
    assert list(recalls) == ["teacher, frozen", "teacher, tuned", "student"]
    assert all(0 <= value <= 1 for recall in recalls.values() for value in recall.text_to_image)
    assert "teacher, tuned: held-out R@1 / 5 / 10, text->image " in caplog.text
    with pytest.raises(InvalidTraining, match="--hold-out 9 leaves 1 of the 10"):
        make_mini(sources, tmp_path, replace(ONE_STEP, hold_out=9), WordVectors(), cache)


def test_one_command_with_all_its_sources(tmp_path: Path, sources: MiniSources, cache: Path) -> None:
    data.render.write(tmp_path / "rendered", data.render.render(5, seed=0))
    (tmp_path / "classes.json").write_text('{"thing0": ["A thing0 is round."]}')
    wordnet_folder = test_wordnet.write(tmp_path / "dict")
    arguments = {
        "--shards": sources.shards,
        "--backbone": sources.backbone,
        "--out": tmp_path / "mini",
        "--cache": cache,
        "--rendered": tmp_path / "rendered",
        "--wordnet": wordnet_folder,
        "--class-sentences": tmp_path / "classes.json",
        "--teacher-epochs": 1,
        "--tuned-epochs": 1,
        "--settled-epochs": 0,
        "--student-steps": 1,
        "--hold-out": 2,
    }
    with pytest.raises(SystemExit) as end:
        main([str(part) for pair in arguments.items() for part in pair], WordVectors)
    assert end.value.code == 0
    assert load_encoder(f"local-dir:{tmp_path / 'mini'}").encode_texts(["a red wall"]).shape == (1, 384)


def test_no_shards_is_wrong_use(tmp_path: Path, sources: MiniSources, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(
            ["--shards", str(tmp_path), "--backbone", str(sources.backbone), "--out", str(tmp_path / "out")],
            WordVectors,
        )
    assert end.value.code == 2
    assert "flickr8k-train.tar" in capsys.readouterr().err


def test_shards_that_say_nothing_are_named(tmp_path: Path, sources: MiniSources) -> None:
    backbone = sources.backbone
    with pytest.raises(SourceNotFound, match=r"flickr8k-train\.tar"):
        make_mini(MiniSources(tmp_path, backbone), tmp_path / "out", ONE_STEP, WordVectors())
    with tarfile.open(tmp_path / "flickr8k-train.tar", "w") as tar:
        add_example(tar, "silent", [])
    with pytest.raises(InvalidDataset, match="no picture with a caption"):
        make_mini(MiniSources(tmp_path, backbone), tmp_path / "out", ONE_STEP, WordVectors())
    with tarfile.open(tmp_path / "flickr8k-train.tar", "w") as tar:
        add_example(tar, "labelled", [" . "], "dog", picture=jpeg(COLOURS["red"]))
    with pytest.raises(InvalidTraining, match="0 of the 0 captioned pictures"):
        make_mini(MiniSources(tmp_path, backbone), tmp_path / "out", ONE_STEP, WordVectors())


def test_a_file_in_the_place_of_the_folder_is_found_before_the_work(tmp_path: Path, sources: MiniSources) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InvalidTraining, match="cannot be made"):
        make_mini(sources, tmp_path / "out", ONE_STEP, WordVectors())


def test_the_built_in_model_is_small_and_needs_nothing_but_open_clip() -> None:
    import open_clip

    folder = Path(indexer.mini.__file__).parent
    assert sum(file.stat().st_size for file in folder.glob("*.*")) <= 25_000_000
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}", require_pretrained=True)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.inference_mode():
        texts = model.eval().encode_text(tokenizer(["A dog.", "a dog", "a puppy", "a bicycle"]), normalize=True)
        image = model.encode_image(preprocess(Image.new("RGB", (300, 200)))[None], normalize=True)
    assert image.shape == (1, json.loads((folder / CONFIG_FILE).read_text())["model_cfg"]["embed_dim"])
    assert torch.equal(texts[0], texts[1])
    assert texts[1] @ texts[2] > texts[1] @ texts[3]
