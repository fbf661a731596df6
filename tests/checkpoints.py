"""Tiny open_clip checkpoints: real model folders of 130 kB with seeded random weights, for tests that load a model.

They are dual encoders in form only: what an image or a text becomes is fixed by the seed and means nothing. A picture
still finds itself, and the same text always becomes the same vector.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Literal

from indexer.torchvision_ops import ensure_torchvision_ops

DIMENSION = 16
IMAGE_SIZE = 32
CONTEXT_LENGTH = 16
_MERGES = ("t h", "th e</w>", "a n", "an d</w>", "d o", "do g</w>", "r e", "re d</w>", "b l", "bl u", "blu e</w>")
_SYMBOLS = 512
"""256 byte symbols, each inside and at the end of a word: the part of the vocabulary that comes before the merges."""

Kind = Literal["clip", "siglip", "convolutional"]


def make_checkpoint(folder: Path, *, seed: int = 0, kind: Kind = "clip", own_vocabulary: bool = True) -> Path:
    """Write `open_clip_config.json`, `open_clip_model.safetensors` and a cut vocabulary into `folder`; returns it.

    `clip`: a causal text tower beside a ViT, the way CLIP has it. `siglip`: a bidirectional text tower pooled at the
    last of its padded tokens, pictures squashed, mean and std 0.5. `convolutional`: timm's MobileNetV2 at half its
    width as the image tower, batch norm and all; 3 MB. Without a vocabulary of its own it has CLIP's 49,408 tokens,
    and 3 MB more.
    """
    import torch
    from safetensors.torch import save_file

    ensure_torchvision_ops()
    import open_clip.model

    config = _config(kind, _SYMBOLS + len(_MERGES) + 2 if own_vocabulary else 49_408)
    custom_text = config["model_cfg"].get("custom_text", False)
    cfg = {key: value for key, value in config["model_cfg"].items() if key != "custom_text"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = (open_clip.model.CustomTextCLIP if custom_text else open_clip.model.CLIP)(**cfg)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2))
    if own_vocabulary:
        write_vocabulary(folder)
    return folder


def write_vocabulary(folder: Path) -> None:
    """The byte-pair vocabulary in open_clip's format: a header line, then one merge a line."""
    text = "\n".join(["#version: 0.2", *_MERGES])
    (folder / "bpe_simple_vocab.txt.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def _config(kind: Kind, vocabulary_size: int) -> dict[str, Any]:
    text = {
        "context_length": CONTEXT_LENGTH,
        "vocab_size": vocabulary_size,
        "width": 16,
        "heads": 2,
        "layers": 1,
    }
    vision: dict[str, Any] = {"image_size": IMAGE_SIZE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    model: dict[str, Any] = {"embed_dim": DIMENSION, "vision_cfg": vision, "text_cfg": text}
    preprocess: dict[str, Any] = {"size": IMAGE_SIZE}
    if kind == "siglip":
        text |= {"no_causal_mask": True, "pool_type": "last", "proj_bias": True}
        model |= {"custom_text": True, "init_logit_bias": -10}
        preprocess |= {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash", "interpolation": "bilinear"}
    if kind == "convolutional":
        model["vision_cfg"] = {
            "image_size": IMAGE_SIZE,
            "timm_model_name": "mobilenetv2_050",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
        }
        model["custom_text"] = True
    return {"model_cfg": model, "preprocess_cfg": preprocess}
