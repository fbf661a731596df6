"""Made-up shards, a made-up backbone and a made-up sentence encoder: `mini`'s recipe in seconds."""

from __future__ import annotations

import io
import json
import math
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from indexer.training.backbone import LABELS_FILE, WEIGHTS_FILE, build_trunk
from tests.palette import COLOURS


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (24, 16)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def add_example(tar: tarfile.TarFile, key: str, captions: Any, label: Any = None, picture: bytes = b"jpeg") -> None:
    add(tar, f"{key}.jpg", picture)
    add(tar, f"{key}.json", json.dumps({"captions": captions, "label": label}).encode())


def write_shards(folder: Path) -> Path:
    """A picture of each of ten colours, captioned in `flickr8k-train.tar` and labelled in `flowers.tar`."""
    folder.mkdir()
    with tarfile.open(folder / "flickr8k-train.tar", "w") as tar:
        for name, colour in COLOURS.items():
            add_example(tar, name, [f"a {name} wall on a hill .", f"it is {name}"], picture=jpeg(colour))
    with tarfile.open(folder / "flowers.tar", "w") as tar:
        for name in ("white", "yellow"):
            add_example(tar, name, [], f"{name}_daisy", picture=jpeg(COLOURS[name], (16, 16)))
    return folder


def write_backbone(folder: Path, classes: int = 6) -> Path:
    """The right shapes, small random weights; class i is called `thing{i}` and `object{i}`."""
    generator = torch.Generator().manual_seed(0)
    convolutions = [module for module in build_trunk().modules() if isinstance(module, torch.nn.Conv2d)]
    weights = {
        "classifier.weight": torch.randn(classes + 1, 1280, 1, 1, generator=generator).half() / 40,
        "classifier.bias": torch.zeros(classes + 1).half(),
    }
    for i, convolution in enumerate(convolutions):
        inputs = convolution.weight[0].numel()
        noise = torch.randn(convolution.weight.shape, generator=generator) * math.sqrt(2 / inputs)
        weights[f"conv{i:02d}.weight"] = noise.half()
        weights[f"conv{i:02d}.bias"] = torch.zeros(len(noise)).half()
    folder.mkdir()
    save_file(weights, folder / WEIGHTS_FILE)
    names = ["background", *(f"thing{i}, object{i}" for i in range(classes))]
    (folder / LABELS_FILE).write_text("\n".join(names) + "\n")
    return folder


class WordVectors:
    """A real sentence encoder: every word has a fixed random direction, a text is the sum of its words'."""

    name = "word vectors"

    def __init__(self, dimension: int = 32) -> None:
        self.encoded = 0
        self._dimension = dimension
        self._words: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        rows = np.stack([sum((self._word(word) for word in text.lower().split()), self._word("")) for text in texts])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _word(self, word: str) -> NDArray[np.float32]:
        if word not in self._words:
            rng = np.random.default_rng(zlib.crc32(word.encode()))
            self._words[word] = rng.normal(size=self._dimension).astype(np.float32)
        return self._words[word]
