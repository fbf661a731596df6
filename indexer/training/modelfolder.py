"""A model trained -> a folder that `--model local-dir:FOLDER` takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import torch

from indexer import hub
from indexer.encoder import ModelParts
from indexer.errors import InvalidTraining
from indexer.training.export import write_folder

StoredDtype = Literal["float16", "bfloat16", "float32"]
CARD_FILE = "MODEL_CARD.md"


def find_config(parts: ModelParts) -> dict[str, Any]:
    """The `model_cfg` to be written, found before any work is done. Raises `InvalidTraining` when there is none."""
    import open_clip

    checkpoint = parts.checkpoint
    with hub.offline():  # the model is loaded, so its config is in the hub's cache
        config: dict[str, Any] | None = open_clip.get_model_config(checkpoint.open_clip_name)
    if config is None:
        raise InvalidTraining(
            f"open_clip has no config for {checkpoint.name!r}, so its weights could not be opened again"
        )
    config = json.loads(json.dumps(config))
    if checkpoint.quick_gelu:
        config["quick_gelu"] = True
    # Every weight is in the folder; nothing else is to be downloaded when it is opened.
    if "timm_model_name" in config.get("vision_cfg", {}):
        config["vision_cfg"]["timm_model_pretrained"] = False
    if "hf_model_name" in config.get("text_cfg", {}):
        config["text_cfg"]["hf_model_pretrained"] = False
    return config


def write_model(folder: Path, parts: ModelParts, model_config: dict[str, Any], card: str, dtype: StoredDtype) -> None:
    """Card, the vocabulary if the model has its own, config, and last the weights, which make it whole."""
    bias = getattr(parts.model, "logit_bias", None)
    if bias is not None:
        model_config = {**model_config, "init_logit_bias": float(bias.detach())}
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": model_config, "preprocess_cfg": _preprocess_config(parts.model)}
    (folder / CARD_FILE).write_text(card, encoding="utf-8")
    vocabulary = parts.checkpoint.vocabulary()
    if vocabulary is not None:
        shutil.copyfile(vocabulary, folder / vocabulary.name)
    stored = {name: _stored(tensor, getattr(torch, dtype)) for name, tensor in parts.model.state_dict().items()}
    write_folder(folder, config, stored)


def _preprocess_config(model: Any) -> dict[str, Any]:
    config = {name: value for name, value in model.visual.preprocess_cfg.items() if value is not None}
    found: dict[str, Any] = json.loads(json.dumps(config))
    return found


def _stored(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A clone, for safetensors refuses tensors that share memory; what float16 cannot hold stays float32."""
    if not tensor.is_floating_point():
        return tensor.detach().cpu().clone().contiguous()
    made = tensor.detach().to("cpu", dtype).clone().contiguous()
    return made if bool(torch.isfinite(made).all()) else tensor.detach().to("cpu", torch.float32).clone().contiguous()
