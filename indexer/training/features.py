"""Pictures -> what the backbone makes of them, computed once a view and kept on disk.

The lower part of the backbone takes seven eighths of a picture's time and is never trained, so what it makes is kept:
40 KB a picture and view. What the upper part makes of it before it is trained is kept as well, in 5 KB: the first
stage needs no more, and the backbone's own classifier reads nothing else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from indexer.errors import InvalidDataset, UndecodableImage
from indexer.training.backbone import FEATURES, MAP_SHAPE, Backbone, LowerPart, UpperPart
from indexer.training.views import View

_LOG = logging.getLogger(__name__)
_AT_ONCE = 64

Maps = NDArray[np.float16]
"""`(n, 15, 14, 96)`: the lower part's output, channels last; in a file mapped into memory."""


@dataclass(frozen=True, slots=True)
class PictureFeatures:
    """Of n pictures, in each view."""

    maps: tuple[Maps, ...]
    pooled: torch.Tensor
    """float32 `(views, n, 1280)`: what the upper part made of the maps before it was trained."""

    def __len__(self) -> int:
        return self.pooled.shape[1]


class FeatureStore:
    """Keeps features in `folder` and finds them again by pictures, view and backbone."""

    def __init__(self, folder: Path, backbone: Backbone) -> None:
        self._folder = folder
        self._lower, self._upper = LowerPart(backbone.trunk), UpperPart(backbone.trunk)
        digest = hashlib.sha256()
        for tensor in backbone.trunk.state_dict().values():
            digest.update(tensor.contiguous().numpy().tobytes())
        self._backbone = digest.digest()

    def features(self, name: str, pictures: Sequence[bytes], views: Sequence[View]) -> PictureFeatures:
        """`name` is what the log and errors call the pictures, encoded ones. To be called before the upper part is
        trained. Raises `InvalidDataset` when one of the pictures cannot be decoded."""
        digest = hashlib.sha256(self._backbone)
        for picture in pictures:
            digest.update(hashlib.sha256(picture).digest())
        maps, pooled = [], []
        for view in views:
            file = self._folder / f"{name}-{view.kind}-{view.seed}-{digest.hexdigest()[:16]}.npy"
            if not file.is_file():
                _LOG.info("%s, %s: %d pictures through the lower part", name, view.kind, len(pictures))
                self._write(file, name, pictures, view)
            maps.append(np.load(file, mmap_mode="r"))
            pooled.append(self._pooled(file.with_suffix(".pooled.npy"), maps[-1]))
        return PictureFeatures(tuple(maps), torch.stack(pooled))

    def _write(self, file: Path, name: str, pictures: Sequence[bytes], view: View) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        maps = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=(len(pictures), *MAP_SHAPE))
        with ThreadPoolExecutor(torch.get_num_threads()) as decoders, torch.inference_mode():
            for start in range(0, len(pictures), _AT_ONCE):
                batch = range(start, min(start + _AT_ONCE, len(pictures)))
                try:
                    pixels = np.stack(list(decoders.map(lambda i: view.pixels(pictures[i], i), batch)))
                except UndecodableImage as error:
                    raise InvalidDataset(name, f"one of pictures {batch[0]} to {batch[-1]}: {error}") from error
                made = self._lower(torch.from_numpy(pixels).div_(127.5).sub_(1.0).permute(0, 3, 1, 2))
                maps[batch.start : batch.stop] = made.permute(0, 2, 3, 1).numpy().astype(np.float16)
        maps.flush()
        partial.rename(file)

    def _pooled(self, file: Path, maps: Maps) -> torch.Tensor:
        if not file.is_file():
            partial = file.with_suffix(".partial")
            with partial.open("wb") as opened:
                np.save(opened, pool(self._upper, maps).numpy())
            partial.rename(file)
        return torch.from_numpy(np.load(file))


def as_planes(maps: Maps) -> torch.Tensor:
    """Some rows of maps as the upper part takes them: float32 `(n, 96, 15, 14)`, channels last in memory."""
    return torch.from_numpy(np.array(maps)).float().permute(0, 3, 1, 2)


def pool(upper: UpperPart, maps: Maps) -> torch.Tensor:
    """float32 `(n, 1280)`: what the upper part makes of all maps now, without gradients."""
    made = torch.empty(len(maps), FEATURES)
    with torch.no_grad():
        for start in range(0, len(maps), _AT_ONCE):
            made[start : start + _AT_ONCE] = upper(as_planes(maps[start : start + _AT_ONCE]))
    return made
