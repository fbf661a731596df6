"""Training a tiny open_clip model on colours: it learns, resumes to the same bytes, and can be searched with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.collection import Collection
from indexer.encoder import load_encoder
from indexer.errors import (
    CheckpointDamaged,
    CheckpointMismatch,
    InvalidDataset,
    InvalidTraining,
    TrainingDiverged,
    TrainingError,
    TrainingTooLarge,
)
from indexer.images import Limits
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.training import finetune
from indexer.training.captions import Picture, read_captions
from indexer.training.finetune import TrainingProgress, TrainingReport, best_epoch, fine_tune, learning_rate
from indexer.training.recipe import Recipe
from indexer.training.towers import TrainableTowers
from tests.checkpoints import make_checkpoint
from tests.indexer.training.colours import paint

QUICK = Recipe(epochs=3, batch_size=20, learning_rate=3e-3, smallest_crop=0.8)
WEIGHTS = "open_clip_model.safetensors"
Train = Callable[..., TrainingReport]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """A model this small is slower on several, above all beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    make_checkpoint(folder / "model")
    paint(folder / "pictures", shades=6)
    paint(folder / "others", shades=1, seed=1)
    return folder


@pytest.fixture(scope="module")
def pictures(folder: Path) -> tuple[Picture, ...]:
    return read_captions([folder / "pictures"])


@pytest.fixture
def train(folder: Path, pictures: tuple[Picture, ...], tmp_path: Path) -> Train:
    """Trains the tiny checkpoint into `tmp_path/out`; recall is measured on other shades of the same colours."""

    def run(recipe: Recipe = QUICK, out: str = "out", model: Path = folder / "model", **more: Any) -> TrainingReport:
        held_out = read_captions([folder / "others"])
        return fine_tune(f"local-dir:{model}", pictures, held_out, tmp_path / out, recipe, device="cpu", **more)

    return run


def stop_in_epoch(epoch: int) -> Callable[[TrainingProgress], None]:
    def watch(progress: TrainingProgress) -> None:
        if progress.epoch == epoch:
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize(
    ("moving", "loss", "rate"),
    [
        ("all", "softmax", 3e-3),
        ("all", "sigmoid", 3e-3),
        ("text", "softmax", 1e-2),
        ("lora", "softmax", 3e-2),
    ],
)
def test_recall_rises_well_above_chance_and_the_model_finds_colours(
    train: Train, folder: Path, tmp_path: Path, moving: Any, loss: Any, rate: float
) -> None:
    report = train(
        Recipe(epochs=24, batch_size=30, learning_rate=rate, smallest_crop=1.0, patience=24, loss=loss, train=moving),
        names=["colours"],
    )
    before, after = report.history[0].recall, report.history[report.best_epoch].recall
    assert before.text_to_image[0] <= 0.3  # chance is 0.1
    assert after.text_to_image[0] >= 0.6
    assert after.image_to_text[0] >= 0.6

    encoder = load_encoder(f"local-dir:{report.out}", device="cpu", precision="float32")
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(folder / "others"), limits=Limits(), batch_size=8, threads=1)
        found = collection.search(encoder.encode_texts(["red", "blue", "green"]), 1)
        names = [Path(collection.catalog.get(int(matches.ids[0])).path).name for matches in found]
    assert sum(name.startswith(word) for name, word in zip(names, ("red", "blue", "green"), strict=True)) >= 2


def test_what_is_written_is_a_whole_model_folder(train: Train, folder: Path) -> None:
    report = train(QUICK, names=["colours"])
    assert {file.name for file in report.out.iterdir()} == {
        "open_clip_config.json",
        WEIGHTS,
        "bpe_simple_vocab.txt.gz",
        "MODEL_CARD.md",
        "training.svg",
    }
    assert {tensor.dtype for tensor in load_file(report.out / WEIGHTS).values()} == {torch.float16}
    card = (report.out / "MODEL_CARD.md").read_text()
    assert "| pictures trained on | 60 |" in card
    assert "| before | " in card
    before, after = (load_encoder(f"local-dir:{path}").manifest for path in (folder / "model", report.out))
    assert (before.preprocessing, before.tokenizer) == (after.preprocessing, after.tokenizer)
    assert before.weights_hash != after.weights_hash


@pytest.mark.parametrize("choice", [{}, {"train": "text"}, {"train": "adapter"}, {"train": "lora"}, {"chunk": 7}])
def test_resumed_training_gives_the_same_bytes(train: Train, tmp_path: Path, choice: dict[str, Any]) -> None:
    recipe = replace(QUICK, **choice)
    whole = train(recipe, "whole")
    assert whole.best_epoch > 0
    with pytest.raises(KeyboardInterrupt):
        train(recipe, "parts", watch=stop_in_epoch(2))
    resumed = train(recipe, "parts", resume=True)
    assert resumed.history == whole.history
    assert (tmp_path / "parts" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
    assert not (tmp_path / "parts" / "checkpoint").exists()


def test_another_seed_gives_another_model(train: Train, tmp_path: Path) -> None:
    train(Recipe(epochs=1, batch_size=20, learning_rate=3e-3, seed=1), "one")
    train(Recipe(epochs=1, batch_size=20, learning_rate=3e-3, seed=2), "two")
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("one", "two"))
    assert any(not torch.equal(one[name], two[name]) for name in one)


def test_only_the_training_that_was_begun_can_be_resumed(train: Train, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidTraining, match="no training to resume"):
        train(resume=True)
    with pytest.raises(KeyboardInterrupt):
        train(watch=stop_in_epoch(2))
    with pytest.raises(InvalidTraining, match="--resume"):
        train()
    with pytest.raises(CheckpointMismatch, match=r"learning rate 0\.003, not 0\.1"):
        train(Recipe(epochs=3, batch_size=20, learning_rate=0.1, smallest_crop=0.8), resume=True)
    with pytest.raises(CheckpointMismatch, match="train all, not lora"):
        train(replace(QUICK, train="lora"), resume=True)
    other = make_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(CheckpointMismatch, match="model"):
        train(model=other, resume=True)
    (tmp_path / "out" / "checkpoint" / "last.pt").write_bytes(b"PK damaged")
    with pytest.raises(CheckpointDamaged, match=r"last\.pt"):
        train(resume=True)


def test_an_output_folder_in_use_is_left_alone(train: Train, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidTraining, match="--out"):
        train()
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_locked_image_tower_stays_as_it_is(train: Train, folder: Path) -> None:
    recipe = Recipe(epochs=8, batch_size=20, learning_rate=3e-3, train="text", patience=8)
    after = load_file(train(recipe, stored="float32").out / WEIGHTS)
    before = load_file(folder / "model" / WEIGHTS)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert "token_embedding.weight" in moved
    assert not any(name.startswith("visual.") for name in moved)


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_statistics_move_only_when_they_may(train: Train, tmp_path: Path, frozen: bool) -> None:
    model = make_checkpoint(tmp_path / "convolutional", kind="convolutional")
    recipe = Recipe(epochs=1, batch_size=30, learning_rate=1e-3, freeze_batch_norm=frozen)
    parts = finetune.load_parts(f"local-dir:{model}")
    towers = TrainableTowers(parts, recipe, "cpu")
    before = {name: value.clone() for name, value in parts.model.state_dict().items() if "running" in name}
    towers.train()
    towers.images(torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8))
    after = parts.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before) == frozen


@pytest.mark.parametrize("choice", [{}, {"chunk": 6}, {"train": "lora"}, {"train": "text", "chunk": 6}])
def test_accumulation_and_saving_memory_train_too(train: Train, choice: dict[str, Any]) -> None:
    steps: list[int] = []
    recipe = Recipe(
        epochs=2, batch_size=20, accumulate=2, learning_rate=3e-3, save_memory=True, precision="bfloat16", **choice
    )
    report = train(recipe, watch=lambda progress: steps.append(progress.step))
    assert max(steps) == 2 * 2  # three batches an epoch are two steps
    assert report.history[-1].loss is not None


def test_a_loss_that_is_not_a_number_ends_it_and_the_best_is_kept(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = finetune.softmax_loss, list[int]()

    def loss(*args: Any) -> torch.Tensor:
        calls.append(1)
        return real(*args) * (float("nan") if len(calls) > 3 * 10 else 1.0)

    monkeypatch.setattr(finetune, "softmax_loss", loss)
    with pytest.raises(TrainingDiverged, match="--learning-rate") as raised:
        train(Recipe(epochs=20, batch_size=20, learning_rate=3e-3, patience=20))
    assert (raised.value.epoch, raised.value.step) == (11, 31)
    assert "the best until then" in str(raised.value)
    assert np.isfinite(load_encoder(f"local-dir:{tmp_path / 'out'}").encode_texts(["red"])).all()


def test_a_model_that_is_broken_from_the_start_is_said_to_be(train: Train, folder: Path, tmp_path: Path) -> None:
    model = make_checkpoint(tmp_path / "broken")
    weights = load_file(model / WEIGHTS)
    save_file({name: tensor * float("nan") for name, tensor in weights.items()}, model / WEIGHTS)
    with pytest.raises(TrainingDiverged, match="nothing was kept"):
        train(model=model)


def test_a_model_that_cannot_be_written_can_be_once_there_is_room(train: Train, tmp_path: Path) -> None:
    def block(progress: TrainingProgress) -> None:
        (tmp_path / "out" / "training.svg").mkdir(exist_ok=True)

    with pytest.raises(TrainingError, match="--resume"):
        train(watch=block)
    (tmp_path / "out" / "training.svg").rmdir()
    assert (train(resume=True).out / WEIGHTS).is_file()


def test_too_little_memory_is_said_with_what_helps(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    def loss(*args: Any) -> torch.Tensor:
        return torch.empty(2**60)  # torch's own error

    monkeypatch.setattr(finetune, "softmax_loss", loss)
    with pytest.raises(TrainingTooLarge, match="--batch-size"):
        train()


def test_it_stops_when_recall_rises_no_more(train: Train) -> None:
    report = train(Recipe(epochs=50, batch_size=20, learning_rate=1e-9, patience=2))
    assert report.stopped_early
    assert len(report.history) <= 5


def test_pictures_that_cannot_be_decoded_are_left_out(
    train: Train, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paint(tmp_path / "damaged", shades=2)
    (tmp_path / "damaged" / "red-0.png").write_bytes(b"not a picture")
    damaged = read_captions([tmp_path / "damaged"])
    model = f"local-dir:{folder / 'model'}"
    others = read_captions([folder / "others"])
    fine_tune(model, damaged, others, tmp_path / "out", Recipe(epochs=2, batch_size=20), device="cpu")
    assert [record.message.split(":")[0] for record in caplog.records] == ["left out red-0.png"]
    for file in (tmp_path / "damaged").glob("*.png"):
        file.write_bytes(b"not a picture")
    with pytest.raises(InvalidDataset, match="can be decoded"):
        fine_tune(model, damaged, others, tmp_path / "none", QUICK, device="cpu")


def test_the_learning_rate_rises_then_falls() -> None:
    recipe = Recipe(learning_rate=0.5, warm_up=0.2)
    rates = [learning_rate(step, 10, recipe) for step in range(10)]
    assert rates[:3] == [0.25, 0.5, 0.5]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0 < rates[-1] < 0.05
    assert learning_rate(0, 1, Recipe(learning_rate=0.5, warm_up=0.0)) == 0.5


def test_nothing_yet_is_best_before_the_first_epoch() -> None:
    assert best_epoch([]) == 0


def test_chunks_train_as_the_whole_batch_does(train: Train) -> None:
    whole, chunked = (train(replace(QUICK, chunk=chunk), str(chunk)) for chunk in (None, 7))
    for one, other in zip(whole.history[1:], chunked.history[1:], strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-3)


def test_what_an_adapter_gives_is_a_whole_model_folder_of_the_same_shape(train: Train, folder: Path) -> None:
    out = train(replace(QUICK, train="adapter"), stored="float32").out
    before, after = (load_file(path / WEIGHTS) for path in (folder / "model", out))
    assert {name: tensor.shape for name, tensor in before.items()} == {n: t.shape for n, t in after.items()}
    assert "| train | adapter |" in (out / "MODEL_CARD.md").read_text()


def test_json_of_the_config_is_what_it_was_but_for_downloads(train: Train, folder: Path) -> None:
    out = train(Recipe(epochs=1, batch_size=20, loss="sigmoid", learning_rate=3e-3)).out
    before, after = (json.loads((path / "open_clip_config.json").read_text()) for path in (folder / "model", out))
    assert after["model_cfg"].pop("init_logit_bias") < 0
    assert after["model_cfg"] == before["model_cfg"]
