from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from indexer.encoder import load_encoder, load_parts
from indexer.grid_features import GridTower, grid_tower
from indexer.images import Preprocessing
from indexer.torchvision_ops import ensure_torchvision_ops
from tests.checkpoints import DIMENSION, IMAGE_SIZE, make_checkpoint

MEAN = STD = (0.5, 0.5, 0.5)


def squares(side: int) -> Preprocessing:
    return Preprocessing(side, side, "squash", "bicubic", MEAN, STD)


def pictures(count: int, side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def planes(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def unit(rows: torch.Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = torch.nn.functional.normalize(rows, dim=-1).numpy()
    return found


def grid_of(visual: Any, side: int) -> GridTower:
    grid = grid_tower(visual, squares(side))
    assert grid is not None
    return grid


def vit(**options: Any) -> Any:
    ensure_torchvision_ops()
    from open_clip.transformer import VisionTransformer

    torch.manual_seed(0)
    return VisionTransformer(32, 8, width=32, layers=2, heads=2, mlp_ratio=2.0, output_dim=16, **options).eval()


def timm_tower(name: str, pool: str, proj: str, size: int = 16) -> Any:
    ensure_torchvision_ops()
    from open_clip.timm_model import TimmModel

    torch.manual_seed(0)
    return TimmModel(name, size, pool=pool, proj=proj).eval()


def test_the_mean_of_minis_cells_is_its_embedding() -> None:
    encoder, parts = load_encoder("mini", precision="float32"), load_parts("mini")
    grid = grid_tower(parts.model.visual, parts.preprocessing)
    assert grid is not None
    assert grid.exact
    pixels = np.random.default_rng(0).integers(0, 256, (1, 225, 224, 3), dtype=np.uint8)
    with torch.inference_mode():
        cells = grid._raw(grid._planes(pixels))
        assert cells.shape == (1, 8, 7, encoder.manifest.dimension)
        np.testing.assert_allclose(unit(cells.mean(dim=(1, 2))), encoder.encode_images(pixels), atol=1e-4)


def test_convolutions_are_shown_the_picture_at_two_sizes() -> None:
    parts = load_parts("mini")
    grid = grid_tower(parts.model.visual, parts.preprocessing)
    assert grid is not None
    assert (grid.preprocessing.height, grid.preprocessing.width) == (449, 448)  # odd as the model's own
    plain = np.full((1, 449, 448, 3), 90, np.uint8)
    cells = grid.embed(plain)
    assert cells.shape == (1, 15, 14, 384)
    assert cells.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(cells, axis=-1), 1, atol=1e-5)
    plain[:, :40, -40:] = (250, 20, 20)
    moved = np.linalg.norm(grid.embed(plain) - cells, axis=-1)[0]
    assert moved[:7, 7:].mean() > 5 * max(moved[8:].mean(), moved[:7, :7].mean())


@pytest.mark.parametrize(
    ("make", "side", "shape", "exact"),
    [
        (lambda: vit(pool_type="avg"), 32, (4, 4), True),
        (lambda: vit(pool_type="avg", final_ln_after_pool=True), 32, (4, 4), False),
        (lambda: vit(attentional_pool=True, attn_pooler_queries=3, attn_pooler_heads=2), 32, (4, 4), False),
        (lambda: timm_tower("mobilenetv2_050", "avg", "linear"), 96, (6, 6), True),
        (lambda: timm_tower("mobilenetv2_050", "avg", "mlp"), 64, (4, 4), False),
        (lambda: timm_tower("vit_tiny_patch16_224", "avg", "linear"), 224, (14, 14), None),
    ],
)
def test_every_way_of_pooling_has_a_grid(
    make: Callable[[], Any], side: int, shape: tuple[int, int], exact: bool | None
) -> None:
    grid = grid_of(make(), side)
    cells = grid.embed(pictures(2, grid.preprocessing.height))
    assert cells.shape == (2, *shape, 16)
    np.testing.assert_allclose(np.linalg.norm(cells, axis=-1), 1, atol=1e-5)
    assert exact is None or grid.exact == exact


def test_a_class_token_is_replaced_by_the_value_of_each_patch() -> None:
    """Each patch goes through the last block as if it were the only token: attention to itself, nothing else."""
    visual, pixels = vit(), pictures(2, 32)
    with torch.inference_mode():
        tokens = visual.transformer.resblocks[0](visual._embeds(planes(pixels)))
        alone = torch.stack([visual.transformer.resblocks[1](tokens[:, i : i + 1])[:, 0] for i in range(1, 17)], dim=1)
        expected = unit((visual.ln_post(alone) @ visual.proj).reshape(2, 4, 4, 16))
        before = visual(planes(pixels))
    np.testing.assert_allclose(grid_of(visual, 32).embed(pixels), expected, atol=1e-5)
    with torch.inference_mode():
        torch.testing.assert_close(visual(planes(pixels)), before)  # the tower is as it was


def test_timms_class_token_is_replaced_likewise() -> None:
    visual, pixels = timm_tower("vit_tiny_patch16_224", "token", "linear"), pictures(1, 224)
    trunk = visual.trunk
    with torch.inference_mode():
        tokens = trunk.norm_pre(trunk._pos_embed(trunk.patch_embed(planes(pixels))))
        for block in trunk.blocks[:-1]:
            tokens = block(tokens)
        alone = trunk.norm(torch.stack([trunk.blocks[-1](tokens[:, i : i + 1])[:, 0] for i in (1, 17)]))
        expected = unit(visual.head(alone))[:, 0]
    cells = grid_of(visual, 224).embed(pixels)[0]
    np.testing.assert_allclose(np.stack([cells[0, 0], cells[1, 2]]), expected, atol=1e-4)


def test_attention_pooling_passes_the_value_of_the_cell() -> None:
    """SigLIP's head, written out for an attention of 1."""
    visual, pixels = timm_tower("vit_tiny_patch16_224", "map", "none", 192), pictures(1, 224)
    pool = visual.trunk.attn_pool
    with torch.inference_mode():
        tokens = visual.trunk.forward_features(planes(pixels))[:, visual.trunk.num_prefix_tokens :]
        value = pool.proj(pool.kv(tokens).chunk(2, dim=-1)[1])
        expected = unit(value + pool.mlp(pool.norm(value))).reshape(1, 14, 14, 192)
    np.testing.assert_allclose(grid_of(visual, 224).embed(pixels), expected, atol=1e-4)


def test_clips_resnets_pass_value_and_projection() -> None:
    ensure_torchvision_ops()
    from open_clip.modified_resnet import ModifiedResNet

    torch.manual_seed(0)
    visual = ModifiedResNet((1, 1, 1, 1), output_dim=16, heads=4, image_size=64, width=8).eval()
    assert grid_of(visual, 64).embed(pictures(1, 64)).shape == (1, 2, 2, 16)


def test_a_tower_of_another_build_has_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert grid_tower(torch.nn.Linear(3, 3), squares(32)) is None
    assert "no grid is known of an image tower that is a Linear" in caplog.text
    wrong = vit()
    wrong.pool_type = "none"
    assert grid_tower(wrong, squares(32)) is None


def test_cells_are_those_of_their_place(tmp_path: Path) -> None:
    """A change in one corner of the picture changes the cell of that corner most."""
    parts = load_parts(str(make_checkpoint(tmp_path / "model")))
    grid = grid_tower(parts.model.visual, parts.preprocessing)
    assert grid is not None
    pixels = pictures(1, IMAGE_SIZE)
    changed = pixels.copy()
    changed[:, -8:, :8] = 255 - changed[:, -8:, :8]
    moved = np.linalg.norm(grid.embed(changed) - grid.embed(pixels), axis=-1)[0]
    assert moved.shape == (4, 4)
    assert np.unravel_index(int(moved.argmax()), moved.shape) == (3, 0)
    assert grid.embed(pixels).shape[-1] == DIMENSION
