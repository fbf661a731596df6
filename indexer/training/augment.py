"""Random views of a picture, so that no epoch shows the same pixels: a crop and a mirror image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from indexer.images import Preprocessing
from indexer.torchvision_ops import ensure_torchvision_ops

_MARGIN = 1.2
"""Pictures are decoded this much larger than the model takes, so that a crop does not have to be enlarged much."""
_ASPECT = 1.15
"""A crop is at most this much wider or higher than the model's own shape."""
_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class View:
    crop: dict[str, int]
    mirrored: bool


class Augmenter:
    """Draws views in one thread, in an order that the seed fixes, and makes them in any thread."""

    def __init__(self, preprocessing: Preprocessing, *, smallest_crop: float, mirror: bool) -> None:
        ensure_torchvision_ops()
        from torchvision.transforms import v2

        margin = _MARGIN if smallest_crop < 1 else 1.0
        height, width = preprocessing.height, preprocessing.width
        self.decoded = replace(preprocessing, height=round(height * margin), width=round(width * margin))
        """The geometry in which pictures are to be decoded: the model's own, larger."""
        shape = self.decoded.width / self.decoded.height
        self._mirror = mirror
        self._crop: Any = v2.RandomResizedCrop(
            (height, width),
            scale=(smallest_crop, 1.0),
            ratio=(shape / _ASPECT, shape * _ASPECT) if smallest_crop < 1 else (shape, shape),
            interpolation=v2.InterpolationMode.BICUBIC,
        )
        self._flip: Any = v2.functional.horizontal_flip
        self._frame = torch.empty(3, self.decoded.height, self.decoded.width, dtype=torch.uint8)

    def draw(self, captions: Sequence[str], seed: int) -> list[View]:
        """A view for a picture with each of these captions; `left` and `right` would be wrong in a mirror."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            views = []
            for caption in captions:
                crop = self._crop.make_params([self._frame])
                mirrored = float(torch.rand(1)) < 0.5
                views.append(View(crop, self._mirror and mirrored and not _SIDES.search(caption)))
        return views

    def apply(self, pixels: NDArray[np.uint8], view: View) -> torch.Tensor:
        """`(height, width, 3)` as `decoded` asks -> uint8 `(3, height, width)` as the model asks."""
        planes = torch.from_numpy(np.require(pixels, requirements=["C", "W"])).permute(2, 0, 1)
        made: torch.Tensor = self._crop.transform(planes, view.crop)
        return self._flip(made) if view.mirrored else made
