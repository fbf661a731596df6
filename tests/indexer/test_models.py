from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from indexer.checkpoints import CONFIG_FILE, MINI_FOLDER
from indexer.models import (
    DEFAULT_MODEL,
    KNOWN_MODELS,
    KnownModel,
    PublishedRecall,
    RecallAt,
    weights_here,
)
from indexer.torchvision_ops import ensure_torchvision_ops
from tests.checkpoints import make_checkpoint

PUBLISHED = [model for model in KNOWN_MODELS if model.hub]


def by_name(name: str) -> KnownModel:
    return next(model for model in KNOWN_MODELS if model.name == name)


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_open_clip_knows_it_as_we_describe_it(model: KnownModel) -> None:
    ensure_torchvision_ops()
    import open_clip

    architecture, _, tag = model.name.partition("/")
    assert (architecture, tag) in open_clip.list_pretrained()
    assert open_clip.get_pretrained_cfg(architecture, tag)["hf_hub"] == f"{model.hub}/"
    assert open_clip.get_model_config(architecture)["embed_dim"] == model.dimension


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "ViT-B-32-256/datacomp_s34b_b86k", "ViT-L-14-336/openai"])
def test_its_size_is_that_of_its_weights_as_float32(name: str) -> None:
    ensure_torchvision_ops()
    import open_clip
    import torch

    with torch.device("meta"):
        model = open_clip.model.CLIP(**open_clip.get_model_config(name.partition("/")[0]))
    weights = sum(parameter.numel() for parameter in model.parameters())
    assert by_name(name).size_mb == round(4 * weights / 1e6)


@pytest.mark.skipif(not (MINI_FOLDER / CONFIG_FILE).is_file(), reason="the built-in model is not in this checkout")
def test_mini_is_as_we_describe_it() -> None:
    config = json.loads((MINI_FOLDER / CONFIG_FILE).read_text())
    mini = by_name("mini")
    weights = weights_here("mini")
    assert weights is not None
    assert mini.dimension == config["model_cfg"]["embed_dim"]
    assert mini.size_mb == pytest.approx(weights.stat().st_size / 1e6, abs=0.5)


def test_names_are_unique_and_the_default_is_among_them() -> None:
    names = [model.name for model in KNOWN_MODELS]
    assert len(set(names)) == len(names)
    assert DEFAULT_MODEL in names


def test_published_figures_are_there_by_direction() -> None:
    flickr, coco = by_name("ViT-B-32/laion2b_s34b_b79k").published
    assert (flickr.dataset, coco.dataset) == ("Flickr30k", "COCO")
    assert flickr.text_to_image == RecallAt(66.8, 88.4, 93.1)
    assert coco.image_to_text.r5 == 79.8


def test_every_published_model_has_figures_with_a_source() -> None:
    assert all(model.published and all(recall.source for recall in model.published) for model in PUBLISHED)
    # Of all of these, finding the caption of an image is the easier task: five chances.
    recalls = [recall for model in PUBLISHED for recall in model.published]
    assert all(recall.image_to_text.r1 > recall.text_to_image.r1 for recall in recalls)


@pytest.mark.parametrize("wrong", [RecallAt(60.0, 50.0), RecallAt(50.0, 60.0, 101.0), RecallAt(0.0)])
def test_a_recall_that_cannot_be_is_refused(wrong: RecallAt) -> None:
    with pytest.raises(ValueError, match="percentage"):
        PublishedRecall("COCO", wrong, RecallAt(50.0), "nobody")


def test_descriptions_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        by_name("mini").dimension = 1  # type: ignore[misc]


def test_weights_here_finds_the_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    name, repository = "ViT-B-32/laion2b_s34b_b79k", "models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K"
    assert weights_here(name) is None
    file = tmp_path / repository / "snapshots" / "abc" / "open_clip_model.safetensors"
    file.parent.mkdir(parents=True)
    file.touch()
    (tmp_path / repository / "refs").mkdir()
    (tmp_path / repository / "refs" / "main").write_text("abc")
    assert weights_here(name) == file
    assert weights_here("ViT-B-32/openai") is None


def test_weights_here_takes_folders_and_knows_no_nonsense(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model")
    assert weights_here(str(folder)) == folder / "open_clip_model.safetensors"
    assert weights_here("no such model") is None


def test_importing_the_list_loads_nothing_heavy() -> None:
    code = (
        "import sys, indexer.models, indexer.encoder; indexer.models.weights_here('ViT-B-32/openai'); "
        "print({'torch', 'torchvision', 'open_clip', 'timm', 'faiss', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
