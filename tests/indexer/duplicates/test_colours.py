from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from indexer.duplicates.colours import agreements, coloured, mistaken
from indexer.duplicates.fingerprints import fingerprint
from indexer.images import Limits
from tests.pictures import encoded, photo

WHOLE = (0.0, 0.0, 1.0, 1.0)


def _agreement(
    template: Image.Image, scene: Image.Image, box: tuple[float, ...] = WHOLE, *, quality: int = 85
) -> float:
    colours = [fingerprint(encoded(each, quality=quality), Limits()).colour for each in (template, scene)]
    rows = np.array([0]), np.array([1])
    [found] = agreements(np.stack(colours), *rows, np.array([box], np.float32), lambda: None)
    return float(found)


def _squares(squares: str, background: str) -> Image.Image:
    picture = Image.new("RGB", (160, 120), background)
    for left in (20, 90):
        ImageDraw.Draw(picture).rectangle((left, 40, left + 45, 85), squares)
    return picture


def test_a_layout_in_other_colours_disagrees() -> None:
    squares = _squares("red", "yellow")
    for others in (("blue", "white"), ("blue", "yellow"), ("red", "white"), ("purple", "green")):
        assert _agreement(squares, _squares(*others)) < 0.7, others
    hue, saturation, value = photo(160, 120).convert("HSV").split()
    turned = Image.merge("HSV", (hue.point([(old + 85) % 256 for old in range(256)]), saturation, value))
    assert _agreement(photo(160, 120), turned.convert("RGB")) < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_encoding_saturation_and_a_mild_white_balance_do_not_count(seed: int) -> None:
    picture = photo(160, 120, seed=seed)
    assert _agreement(picture, picture.resize((80, 60)), quality=30) > 0.9
    assert _agreement(picture, ImageEnhance.Color(picture).enhance(0.5)) > 0.95
    red, green, blue = ([min(255, round(value * by)) for value in range(256)] for by in (1.08, 1, 0.92))
    assert _agreement(picture, picture.point(red + green + blue)) > 0.9


def test_a_crop_is_compared_with_its_box() -> None:
    scene = photo(160, 120)
    crop = scene.crop((40, 0, 160, 90))
    assert _agreement(crop, scene, (0.25, 0, 0.75, 0.75)) > 0.9
    assert _agreement(crop, scene, (0, 0.25, 0.75, 0.75)) < 0.7


def test_what_is_without_colour_has_nothing_to_compare() -> None:
    picture = photo(160, 120)
    assert np.isnan(_agreement(ImageOps.grayscale(picture), picture))
    assert np.isnan(_agreement(picture, ImageOps.grayscale(picture)))


def test_pictures_of_one_tint_agree_by_their_tint() -> None:
    def tinted(hue: float) -> Image.Image:
        bright = tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.5, 1))
        return ImageOps.colorize(ImageOps.grayscale(photo(160, 120)).point(lambda value: 230), "black", bright)

    assert _agreement(tinted(0.1), tinted(0.12)) > 0.9
    assert _agreement(tinted(0.1), tinted(0.6)) < 0


def test_a_grey_picture_is_a_copy_of_its_likeliest_original_and_what_has_the_colours_of_that() -> None:
    pictures = [photo(160, 120), _squares("red", "yellow"), Image.new("RGB", (9, 9), "teal"), _squares("gray", "white")]
    seen = np.stack([fingerprint(encoded(picture), Limits()).colour for picture in pictures])
    assert coloured(seen).tolist() == [True, True, True, False]

    grey, red, small, blue = range(4)
    pairs = np.array([(grey, red), (grey, small), (grey, blue), (red, small)])
    details, agree = np.float32([0.99, 0.96, 0.97, 0.99]), np.float32([np.nan, np.nan, np.nan, 0.98])
    found = mistaken(pairs, details, agree, np.array([False, True, True, True]))
    assert found.tolist() == [False, False, True, False]
