"""`mini` trained for a few steps on rendered pictures, whatever of it moves: learned, resumed, searched with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.render import CAPTIONS, render, write
from indexer.collection import Collection
from indexer.encoder import load_encoder
from indexer.images import Limits
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.training.captions import read_captions
from indexer.training.finetune import TrainingProgress, TrainingReport, fine_tune
from indexer.training.recipe import Recipe

COUNT = 12
RECIPES: dict[str, dict[str, Any]] = {
    "all": {"epochs": 3, "learning_rate": 3e-4},
    "text": {"epochs": 4, "learning_rate": 1e-3},
    "adapter": {"epochs": 6, "learning_rate": 3e-3},
    "lora": {"epochs": 5, "learning_rate": 3e-3},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each picture with the caption of the one before it: `mini` knows painted pictures, but not by these names."""
    folder = tmp_path_factory.mktemp("rendered")
    write(folder, render(COUNT, seed=0))
    entries = [json.loads(line) for line in (folder / CAPTIONS).read_text("utf-8").splitlines()]
    renamed = [{**entry, "caption": entries[place - 1]["caption"]} for place, entry in enumerate(entries)]
    (folder / CAPTIONS).write_text("".join(f"{json.dumps(entry)}\n" for entry in renamed), encoding="utf-8")
    return folder


def learn(folder: Path, out: Path, moving: Any, **more: Any) -> TrainingReport:
    """Recall is measured on the pictures it is shown: a dozen teach little about others, but all about themselves."""
    pictures = read_captions([folder])
    recipe = Recipe(train=moving, batch_size=6, smallest_crop=0.9, patience=50, **RECIPES[moving])
    return fine_tune("mini", pictures, pictures, out, recipe, device="cpu", **more)


@pytest.mark.parametrize(
    "moving", ["adapter", *(pytest.param(moving, marks=pytest.mark.slow) for moving in ("text", "all", "lora"))]
)
def test_recall_rises_it_resumes_and_what_comes_out_is_searched_with(folder: Path, tmp_path: Path, moving: str) -> None:
    def stop(progress: TrainingProgress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(folder, tmp_path / "model", moving, watch=stop)
    report = learn(folder, tmp_path / "model", moving, resume=True)
    before, after = report.history[0].recall, report.history[report.best_epoch].recall
    assert after.text_to_image[0] >= max(0.7, before.text_to_image[0] + 0.4)  # chance is 1 of 12
    assert after.image_to_text[0] >= 0.7

    encoder = load_encoder(f"local-dir:{report.out}", device="cpu", precision="float32")
    pictures = read_captions([folder])
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(folder), limits=Limits(), batch_size=12, threads=1)
        found = collection.search(encoder.encode_texts([picture.captions[0] for picture in pictures]), 1)
        names = [Path(collection.catalog.get(int(matches.ids[0])).path).name for matches in found]
    first = sum(picture.key == name for picture, name in zip(pictures, names, strict=True))
    assert first / COUNT == pytest.approx(after.text_to_image[0], abs=0.05)
