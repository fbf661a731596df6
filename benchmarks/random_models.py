"""Models with random weights: for speed they do."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from indexer.torchvision_ops import ensure_torchvision_ops


def random_model(folder: Path, architecture: str, seed: int = 0) -> str:
    """A model folder of that architecture, in float32; its name for `load_encoder`."""
    ensure_torchvision_ops()
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    model = open_clip.model.CLIP(**{**open_clip.get_model_config(architecture), "output_dict": False})
    folder.mkdir(parents=True)
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": {"size": 224}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return f"local-dir:{folder}"
