from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from indexer.errors import InvalidQuery, UndecodableImage
from search.region import Region


def _halves() -> bytes:
    """Red on the left, blue on the right, 40 x 20."""
    picture = Image.new("RGB", (40, 20), "red")
    picture.paste("blue", (20, 0, 40, 20))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_region_is_cut_out_of_the_picture() -> None:
    cut = _pixels(Region.parse("0.5,0,0.5,1").cut(_halves()))
    assert cut.shape == (20, 20, 3)
    assert (cut == (0, 0, 255)).all()


def test_the_picture_is_turned_upright_first() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    buffer = io.BytesIO()
    Image.open(io.BytesIO(_halves())).save(buffer, "PNG", exif=exif)
    assert (_pixels(Region(0.5, 0, 0.5, 1).cut(buffer.getvalue())) == (255, 0, 0)).all()


def test_the_smallest_region_is_a_pixel() -> None:
    assert _pixels(Region(0.9999, 0.9999, 1e-6, 1e-6).cut(_halves())).shape == (1, 1, 3)


def test_sums_that_round_over_the_edge_are_within_the_picture() -> None:
    Region(0.1, 0.7, 0.9, 0.1 + 0.2)


@pytest.mark.parametrize("text", ["0.5,0,0.6,1", "-0.1,0,0.5,1", "0,0,1.01,1", "2,2,1,1"])
def test_a_region_outside_the_picture_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="outside the picture"):
        Region.parse(text)


@pytest.mark.parametrize("text", ["0,0,0,1", "0,0,1,-1", "nan,0,1,1", "0,0,inf,1"])
def test_a_region_without_an_area_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="no area"):
        Region.parse(text)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "0,0,1,1,1"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="is no region"):
        Region.parse(text)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UndecodableImage):
        Region(0, 0, 1, 1).cut(b"no picture")
