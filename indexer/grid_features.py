"""What an image tower makes of each part of a picture: a grid of embeddings in the space that words have, too.

A tower ends by making one vector of many cells. Here its end is shown every cell alone, as if the picture were nothing
else, so that norm, projection and all that the tower learned are used as they are:

- average pooling, of convolutions or of patches: the average of one cell is that cell. Where nothing but linear layers
  follow, as in `mini`, the mean of the cells before they are normalised is the picture's own embedding (`exact`). With
  a norm or an MLP behind the pooling it is not, and the cells are what the head says of each.
- attention pooling, as SigLIP's and CoCa's: over one cell the attention is 1, and its value passes.
- a class token, as CLIP's: the patch tokens of the last block are no embeddings of their places. So in that block every
  token attends to itself alone and only its value passes, as in MaskCLIP (Zhou et al., ECCV 2022).
- the attention pooling of CLIP's ResNets: value and output projection of each cell, as in MaskCLIP.

A tower that takes pictures of any size, as convolutions do, is shown them at the model's size and at twice that, and
the two grids are added. In pictures of four tiles of tiny-imagenet, made as in benchmarks/heat_map.py, `mini` points at
the right tile in 71 % by the first alone, 78 by the second, 79 by both; the most relevant quarter and the tile have an
IoU of 0.51, 0.40 and 0.51 (80 pictures).

How well the cells tell where things are was measured for `mini` only (docs/why.md).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.checkpoints import one_line
from indexer.images import Preprocessing

if TYPE_CHECKING:
    import torch

GridEmbeddings = NDArray[np.float32]
"""Unit rows, `(n, rows, columns, dimension)`."""

_Cells = Callable[[Any, "torch.Tensor"], "torch.Tensor"]
"""A tower and normalised planes `(n, 3, height, width)` -> `(n, rows, columns, dimension)`, not normalised."""

_SAME: Final = 0.9999
"""Cosine: rounding leaves 0.999999."""
_NOT_BUILT_SO = (AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError)
"""What a tower of another build raises when it is read as one of ours."""

_log = logging.getLogger(__name__)


class GridTower:
    """An image tower, float32, that embeds the cells of a picture. Made by `grid_tower`; safe to use from threads."""

    def __init__(self, visual: Any, cells: _Cells, preprocessing: Preprocessing, device: str) -> None:
        """Raises one of `_NOT_BUILT_SO` where `visual` is not the tower that `cells` reads."""
        import torch

        self._visual = visual.eval().float().to(device)
        self._cells, self._device, self._own = cells, device, preprocessing
        self._mean, self._std = (
            torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (preprocessing.mean, preprocessing.std)
        )
        self._lock = threading.Lock()  # the last block of some is changed while it works
        self.exact = self._is_exact(_noise(preprocessing))
        """Whether the mean of the cells, before they are normalised, is the picture's own embedding: at the model's
        own size."""
        self.preprocessing = self._largest(preprocessing)
        """How pictures are to be decoded for `embed`."""

    def embed(self, pixels: NDArray[np.uint8]) -> GridEmbeddings:
        """`(n, height, width, 3)` uint8 RGB as `preprocessing` asks -> `(n, rows, columns, dimension)` unit rows."""
        import torch

        functional = torch.nn.functional
        with torch.inference_mode():
            planes = self._planes(pixels)
            cells = functional.normalize(self._raw(planes), dim=-1)
            if self.preprocessing != self._own:
                small = (self._own.height, self._own.width)
                coarse = self._raw(functional.interpolate(planes, small, mode="bilinear", antialias=True))
                coarse = functional.normalize(coarse, dim=-1).permute(0, 3, 1, 2)
                cells = cells + functional.interpolate(coarse, cells.shape[1:3], mode="bilinear").permute(0, 2, 3, 1)
            embeddings: GridEmbeddings = functional.normalize(cells, dim=-1).cpu().numpy()
        return embeddings

    def _raw(self, planes: torch.Tensor) -> torch.Tensor:
        with self._lock:
            return self._cells(self._visual, planes)

    def _planes(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        import torch

        batch = torch.from_numpy(np.require(pixels, requirements=["C", "W"])).to(self._device)
        planes: torch.Tensor = batch.permute(0, 3, 1, 2).float().div(255).sub(self._mean).div(self._std)
        return planes

    def _is_exact(self, picture: NDArray[np.uint8]) -> bool:
        import torch

        with torch.inference_mode():
            planes = self._planes(picture)
            whole = self._visual(planes)
            whole = whole[0] if isinstance(whole, tuple) else whole  # CoCa's also gives its tokens
            cells = self._raw(planes)
        if cells.ndim != 4 or cells.shape[-1] != whole.shape[-1] or not bool(torch.isfinite(cells).all()):
            raise ValueError(f"its cells come as {tuple(cells.shape)}, its pictures as {tuple(whole.shape)}")
        return float(torch.nn.functional.cosine_similarity(cells.mean(dim=(1, 2)), whole)) > _SAME

    def _largest(self, preprocessing: Preprocessing) -> Preprocessing:
        import torch

        twice = _twice(preprocessing)
        try:
            with torch.inference_mode():
                self._raw(self._planes(_noise(twice)))
        except _NOT_BUILT_SO:
            return preprocessing
        return twice


def _twice(preprocessing: Preprocessing) -> Preprocessing:
    """Odd sides stay odd: `mini`'s height is, for its padding (indexer/training/backbone.py)."""
    height, width = (2 * side - side % 2 for side in (preprocessing.height, preprocessing.width))
    return replace(preprocessing, height=height, width=width)


def _noise(preprocessing: Preprocessing) -> NDArray[np.uint8]:
    size = (1, preprocessing.height, preprocessing.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


def grid_tower(visual: Any, preprocessing: Preprocessing, device: str = "cpu") -> GridTower | None:
    """Of the image tower of an open_clip model, which is taken over; None, and a line in the log, where it is built in
    no way that we know."""
    cells = _reader(visual)
    if cells is None:
        _log.info("no grid is known of an image tower that is a %s", type(visual).__name__)
        return None
    try:
        return GridTower(visual, cells, preprocessing, device)
    except _NOT_BUILT_SO as error:
        _log.info("no grid is known of this %s: %s", type(visual).__name__, one_line(error))
        return None


def _reader(visual: Any) -> _Cells | None:
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel
    from open_clip.transformer import VisionTransformer

    readers: dict[type, _Cells] = {
        TimmModel: _timm_cells,
        VisionTransformer: _vit_cells,
        ModifiedResNet: _resnet_cells,
    }
    return readers.get(type(visual))


def _timm_cells(tower: Any, planes: torch.Tensor) -> torch.Tensor:
    trunk = tower.trunk
    class_token = getattr(trunk, "global_pool", None) == "token" and getattr(trunk, "attn_pool", None) is None
    with _values_alone(trunk.blocks[-1]) if class_token else nullcontext():
        features = trunk.forward_features(planes)
    if features.ndim == 3:
        prefix = trunk.num_prefix_tokens
        rows, columns = trunk.patch_embed.grid_size
        cells = features[:, prefix:].flatten(0, 1)
        alone = cells[:, None].expand(-1, prefix + 1, -1)  # the cell is its own class token, too
    else:
        if features.shape[1] != trunk.num_features:  # Swin's: channels last
            features = features.permute(0, 3, 1, 2)
        rows, columns = features.shape[2:]
        alone = features.permute(0, 2, 3, 1).flatten(0, 2)[:, :, None, None]
        if alone.shape[1] != trunk.num_features:
            raise ValueError(f"its features come as {tuple(features.shape)}")
    embeddings: torch.Tensor = tower.head(trunk.forward_head(alone))
    return embeddings.reshape(len(planes), rows, columns, -1)


def _vit_cells(tower: Any, planes: torch.Tensor) -> torch.Tensor:
    class_token = tower.attn_pool is None and tower.pool_type == "tok"
    with _values_alone(tower.transformer.resblocks[-1]) if class_token else nullcontext():
        tokens = tower.transformer(tower._embeds(planes))
    cells = tokens[:, 1:].flatten(0, 1)
    pooled, _ = tower._pool(cells[:, None].expand(-1, 2, -1))  # the cell is its own class token, too
    if tower.proj is not None:
        pooled = pooled @ tower.proj
    rows, columns = tower.grid_size
    embeddings: torch.Tensor = pooled.reshape(len(planes), rows, columns, -1)
    return embeddings


def _resnet_cells(tower: Any, planes: torch.Tensor) -> torch.Tensor:
    features = tower.stem(planes)
    for layer in (tower.layer1, tower.layer2, tower.layer3, tower.layer4):
        features = layer(features)
    pool = tower.attnpool
    rows, columns = features.shape[2:]
    places = pool.positional_embedding[1:].reshape(rows, columns, -1)
    embeddings: torch.Tensor = pool.c_proj(pool.v_proj(features.permute(0, 2, 3, 1) + places))
    return embeddings


@contextmanager
def _values_alone(block: Any) -> Iterator[None]:
    """Every token of this block attends to itself alone meanwhile."""
    import torch

    def mask_others(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        tokens = args[0].shape[1]
        mask = torch.full((tokens, tokens), -torch.inf, device=args[0].device).fill_diagonal_(0)
        return args, {**kwargs, "attn_mask": mask}

    hook = block.register_forward_pre_hook(mask_others, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
