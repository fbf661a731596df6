"""How a picture is shown in training: whole, mirrored, in part or in other colours; always squashed to 224 x 225."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.errors import UndecodableImage
from indexer.training.backbone import HEIGHT, WIDTH

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class View:
    """`whole` is the picture as it is searched; `mirrored` that in a mirror; `crop` 60 to 98 % of each side, give or
    take a seventh in proportion; `colours` 85 to 100 % of each side with brightness, contrast and tint changed a
    little. Half of the last two are mirrored as well."""

    kind: Literal["whole", "mirrored", "crop", "colours"]
    seed: int = 0

    def pixels(self, picture: bytes, index: int) -> NDArray[np.float32]:
        """`(225, 224, 3)`, RGB of 0 to 255. What is random depends on the seed and `index` alone.

        Raises `UndecodableImage`.
        """
        rng = np.random.default_rng([self.seed, index])
        try:
            with Image.open(io.BytesIO(picture)) as opened:
                image = opened.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise UndecodableImage(f"it cannot be decoded ({error})") from error
        box = self._box(image.width, image.height, rng)
        mirrored = self.kind == "mirrored" or (self.kind in ("crop", "colours") and rng.random() < 0.5)
        image = image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)
        if mirrored:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = np.asarray(image, np.float32)
        return _in_other_colours(pixels, rng) if self.kind == "colours" else pixels

    def _box(self, width: int, height: int, rng: np.random.Generator) -> Box:
        if self.kind == "crop":
            share, stretch = rng.uniform(0.6, 0.98), np.exp(rng.uniform(-0.15, 0.15))
            return _placed(width, height, min(1.0, share * stretch), min(1.0, share / stretch), rng)
        if self.kind == "colours":
            share = rng.uniform(0.85, 1.0)
            return _placed(width, height, share, share, rng)
        return 0.0, 0.0, float(width), float(height)


def _placed(width: int, height: int, across: float, down: float, rng: np.random.Generator) -> Box:
    """A box of these shares of the sides, anywhere in the picture."""
    x, y = rng.random() * width * (1 - across), rng.random() * height * (1 - down)
    return x, y, min(x + width * across, width), min(y + height * down, height)


def _in_other_colours(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    contrast, brightness, tint = rng.uniform(0.8, 1.2), rng.uniform(-20, 20), rng.uniform(-10, 10, 3)
    changed: NDArray[np.float32] = ((pixels - 128) * contrast + 128 + brightness + tint).clip(0, 255).astype(np.float32)
    return changed
