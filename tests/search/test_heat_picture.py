from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from indexer.geometry import Size, fit
from indexer.images import Preprocessing
from search.heat_map import FULL, HeatMap
from search.heat_picture import COLOURS, blended, overlay, peak, relevance_at, strengths

MEAN = STD = (0.5, 0.5, 0.5)
CORNER = np.array([[4, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, -4]], np.float32)


def made(relevance: np.ndarray, picture: Size, mode: str = "squash") -> HeatMap:  # type: ignore[type-arg]
    preprocessing = Preprocessing(32, 32, mode, "bicubic", MEAN, STD)  # type: ignore[arg-type]
    return HeatMap(relevance.astype(np.float32), fit(preprocessing, picture), (32, 32), picture, "grid")


def test_the_map_lies_over_the_whole_picture_where_the_model_saw_all() -> None:
    heat_map = made(CORNER, (80, 40))
    strength = strengths(heat_map, (80, 40))
    assert strength.shape == (40, 80)
    assert strength[0, 0] == 1
    assert strength[-1, -1] == 0  # less than the mean is shown as the mean
    x, y = peak(heat_map)
    assert x < 0.25
    assert y < 0.25


def test_what_a_crop_left_out_is_marked_as_not_seen() -> None:
    heat_map = made(CORNER, (80, 40), "shortest")  # the middle square of a wide picture
    strength = strengths(heat_map, (80, 40))
    assert np.isnan(strength[:, :20]).all()
    assert np.isnan(strength[:, 60:]).all()
    assert not np.isnan(strength[:, 20:60]).any()
    assert strength[0, 20] == 1
    assert 0.25 < peak(heat_map)[0] < 0.4
    pixels = np.asarray(overlay(heat_map, (80, 40)))
    left = pixels[:, :20].reshape(-1, 4)
    assert {tuple(pixel) for pixel in left.tolist()} == {(120, 120, 120, 200), (150, 150, 150, 200)}


def test_padding_is_cut_off_again() -> None:
    """A wide picture lies in the middle two rows of the frame; what the padding is like is not shown."""
    relevance = np.array([[9, 9, 9, 9], [0, 0, 0, 1], [0, 0, 0, 1], [9, 9, 9, 9]])
    heat_map = made(relevance, (80, 40), "longest")
    inner = relevance_at(heat_map, (80, 40))
    assert not np.isnan(inner).any()
    assert inner[20, 0] == 0
    assert inner[20, -1] == pytest.approx(1)
    assert inner[10:30].max() == pytest.approx(1)


@pytest.mark.parametrize("picture", [(1, 3000), (3000, 1), (1, 1)])
@pytest.mark.parametrize("mode", ["squash", "shortest", "longest"])
def test_strips_have_maps_too(picture: Size, mode: str) -> None:
    heat_map = made(CORNER, picture, mode)
    size = max(1, picture[0] // 10), max(1, picture[1] // 10)
    assert overlay(heat_map, size).size == size
    assert min(peak(heat_map)) >= 0


def test_colours_run_from_blue_to_yellow_and_get_lighter() -> None:
    ramp = np.linspace(0, FULL, 8, dtype=np.float32)[None].repeat(8, 0)
    pixels = np.asarray(overlay(made(ramp, (64, 64)), (64, 64)), np.float64)[32]
    assert tuple(pixels[0, :3]) == COLOURS[0]
    assert tuple(pixels[-1, :3]) == COLOURS[-1]
    luminance = pixels[:, :3] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luminance) >= -1).all()
    assert pixels[:, 3].min() > 100
    assert pixels[:, 3].max() < 180  # the picture stays to be seen


def test_a_flat_map_colours_nothing() -> None:
    picture = Image.new("RGB", (40, 40), (90, 120, 60))
    assert np.asarray(overlay(made(CORNER * 0.1, (40, 40)), (40, 40)))[..., 3].max() == 0
    assert blended(made(CORNER * 0.1, (40, 40)), picture).tobytes() == picture.tobytes()
    assert blended(made(CORNER, (40, 40)), picture).tobytes() != picture.tobytes()
