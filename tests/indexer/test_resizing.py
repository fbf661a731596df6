from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from PIL import Image

from indexer.resizing import resized, turned
from tests.pictures import photo


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(64, 48), (30, 41), (96, 72)])
def test_no_value_differs_from_pillows_by_more_than_1(
    size: tuple[int, int], interpolation: Literal["bicubic", "bilinear"]
) -> None:
    picture = photo(96, 72)
    want = np.asarray(picture.resize(size, Image.Resampling[interpolation.upper()]), int)
    found = resized(np.array(picture), picture.size, size, interpolation)
    assert found.dtype == np.uint8
    assert abs(found - want).max() <= 1


def test_a_fraction_of_the_last_pixel_may_be_left_out() -> None:
    picture = photo(75, 50)
    want = np.asarray(picture.resize((20, 30), Image.Resampling.BICUBIC, (0, 0, 74.25, 49.5)), int)
    assert abs(resized(np.array(picture), (74.25, 49.5), (20, 30), "bicubic") - want).max() <= 1


def test_the_size_is_the_one_asked_for_whatever_floats_make_of_it() -> None:
    for side in (*range(1, 60), 547, 1413):
        pixels = np.zeros((3, side, 3), np.uint8)
        assert resized(pixels, (side, 3), (15, 7), "bilinear").shape == (7, 15, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_pillows(orientation: int) -> None:
    from PIL import ImageOps

    picture = photo(6, 4)
    exif = picture.getexif()
    exif[0x0112] = orientation
    want = np.asarray(ImageOps.exif_transpose(picture))
    assert np.array_equal(turned(np.array(picture), orientation), want)
