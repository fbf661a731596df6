"""A trained model -> a folder that open_clip opens as `local-dir:FOLDER`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
TOKEN_TABLE = "text.token_embedding.weight"


def export(folder: Path, config: dict[str, Any], state: dict[str, torch.Tensor]) -> None:
    """Writes `config` (`model_cfg` and `preprocess_cfg`) and `state` into `folder`, which is made if missing.

    Weights are stored as float16, the token table as float8 (e4m3): 49,408 rows are half of the file, and most of
    them are words that no caption held. open_clip copies both into parameters of the precision that it is asked for.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    stored = {name: _stored(name, tensor) for name, tensor in state.items()}
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = folder / WEIGHTS_FILE
    save_file(stored, weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors makes a file that only its owner can read


def _stored(name: str, tensor: torch.Tensor) -> torch.Tensor:
    import torch

    if not tensor.is_floating_point():
        return tensor.contiguous()
    return tensor.to(torch.float8_e4m3fn if name == TOKEN_TABLE else torch.float16).contiguous()
