"""Config and weights -> a folder that open_clip opens as `local-dir:FOLDER`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
TOKEN_TABLE = "text.token_embedding.weight"


def write_folder(folder: Path, config: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
    """`config` has `model_cfg` and `preprocess_cfg`; weights are stored as they are. The folder is made if missing.

    The weights come last, and whole or not at all: a folder that has them can be opened.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    partial = folder / f"{WEIGHTS_FILE}.partial"
    save_file(dict(weights), partial, metadata={"format": "pt"})
    partial.chmod(0o644)  # safetensors makes a file that only its owner can read
    partial.replace(folder / WEIGHTS_FILE)


def export(folder: Path, config: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> None:
    """Writes `state` small: float16, and the token table float8 (e4m3).

    Its 49,408 rows are half of the file, and most of them are words that no caption held. open_clip copies both into
    parameters of the precision that it is asked for.
    """
    write_folder(folder, config, {name: _stored(name, tensor) for name, tensor in state.items()})


def _stored(name: str, tensor: torch.Tensor) -> torch.Tensor:
    import torch

    if not tensor.is_floating_point():
        return tensor.contiguous()
    return tensor.to(torch.float8_e4m3fn if name == TOKEN_TABLE else torch.float16).contiguous()
