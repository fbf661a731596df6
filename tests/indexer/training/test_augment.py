"""Views are fixed by the seed, of the model's shape, and never mirror what is left or right."""

from __future__ import annotations

import numpy as np
import torch

from indexer.images import Preprocessing
from indexer.training.augment import Augmenter, View

MODEL = Preprocessing(
    height=33, width=32, resize_mode="squash", interpolation="bicubic", mean=(0.5,) * 3, std=(0.5,) * 3
)


def test_views_are_fixed_by_the_seed_and_leave_the_global_one_alone() -> None:
    augmenter = Augmenter(MODEL, smallest_crop=0.5, mirror=True)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    views = augmenter.draw(["a dog"] * 8, seed=5)
    assert torch.equal(torch.rand(1), expected)
    assert views == augmenter.draw(["a dog"] * 8, seed=5)
    assert views != augmenter.draw(["a dog"] * 8, seed=6)
    assert {view.mirrored for view in views} == {True, False}


def test_left_and_right_are_not_mirrored() -> None:
    augmenter = Augmenter(MODEL, smallest_crop=1.0, mirror=True)
    assert not any(view.mirrored for view in augmenter.draw(["a dog on the Left", "turn right"] * 8, seed=0))
    assert not any(view.mirrored for view in Augmenter(MODEL, smallest_crop=1.0, mirror=False).draw(["x"] * 8, 0))


def test_a_crop_has_the_shape_of_the_model() -> None:
    augmenter = Augmenter(MODEL, smallest_crop=0.5, mirror=True)
    pixels = np.zeros((augmenter.decoded.height, augmenter.decoded.width, 3), np.uint8)
    for view in augmenter.draw(["a dog"] * 4, seed=0):
        assert augmenter.apply(pixels, view).shape == (3, 33, 32)


def test_without_crop_and_mirror_the_pixels_are_those_of_the_search() -> None:
    augmenter = Augmenter(MODEL, smallest_crop=1.0, mirror=False)
    assert augmenter.decoded == MODEL
    pixels = np.random.default_rng(0).integers(0, 256, (33, 32, 3), dtype=np.uint8)
    (view,) = augmenter.draw(["a dog"], seed=0)
    made = augmenter.apply(pixels, view)
    assert np.array_equal(made.permute(1, 2, 0).numpy(), pixels)
    mirrored = augmenter.apply(pixels, View(view.crop, mirrored=True))
    assert np.array_equal(mirrored.permute(1, 2, 0).numpy(), pixels[:, ::-1])
