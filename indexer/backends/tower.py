"""An image tower that takes pixels as they are decoded: the seam of the back ends, and torch's own on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.images import Preprocessing

if TYPE_CHECKING:
    import torch

CPU_BATCH: Final = 32
"""Images at once. Smaller and larger batches were within a fifth of it, for `mini` and for ViT-B-32."""
_MOST_ON_CPU: Final = 128


class ImageTower(Protocol):
    """Safe to use from many threads at once."""

    most: int
    """Images that it takes in one call, so that memory stays bounded whatever the caller hands in."""

    @property
    def batch_size(self) -> int:
        """Images a call at which it is about as fast as it gets. Finding it may take a second, the first time."""
        ...

    def __call__(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """`(n, height, width, 3)` uint8 RGB, n at most `most` -> `(n, dimension)` floats, not normalised."""
        ...


def pixel_tower(model: Any, preprocessing: Preprocessing, dtype: torch.dtype) -> torch.nn.Module:
    """`model.encode_image` from uint8 `(n, height, width, 3)` to float32 `(n, dimension)`; its weights are `dtype`.

    Normalisation is part of it, in float32, and goes where it goes: to a GPU, into a graph, into another library.
    """
    import torch

    class PixelTower(torch.nn.Module):
        scale: torch.Tensor
        shift: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            # (x / 255 - mean) / std as one multiplication and one subtraction.
            mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
            self.register_buffer("scale", 1 / (255 * std), persistent=False)
            self.register_buffer("shift", mean / std, persistent=False)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            # Height, width, channels as they come are torch's channels_last, 1.3 to 1.6 times as fast as copying them
            # into planes (ViT-B-32 and MobileNetV2, float32, batch 16).
            planes = pixels.permute(0, 3, 1, 2).to(torch.float32).mul_(self.scale).sub_(self.shift)
            features: torch.Tensor = self.model.encode_image(planes.to(dtype))
            return features.to(torch.float32)

    return PixelTower().eval()


class TorchTower:
    """On the CPU, as it comes."""

    batch_size = CPU_BATCH

    def __init__(self, tower: torch.nn.Module) -> None:
        self.most = _MOST_ON_CPU
        self._tower = tower

    def __call__(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            # A read-only array, such as one from `np.frombuffer`, is copied: torch warns about sharing it.
            features: torch.Tensor = self._tower(torch.from_numpy(np.require(pixels, requirements=["C", "W"])))
            return features
