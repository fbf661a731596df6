from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageEnhance

from indexer.duplicates.fingerprints import Fingerprint, fingerprint
from indexer.errors import UnreadableImage
from indexer.images import Limits
from tests.pictures import encoded, exif, photo, quadrants


def _grey(data: bytes) -> np.ndarray:
    return fingerprint(data, Limits()).grey.astype(int)


def test_what_matters_is_the_picture_and_not_its_file() -> None:
    picture = photo(320, 240)
    grey = _grey(encoded(picture, quality=95))
    assert grey.shape == (32, 32)
    for data in (encoded(picture, "PNG"), encoded(picture.resize((1000, 750)), "WEBP")):
        assert np.abs(_grey(data) - grey).mean() < 2
    assert np.abs(_grey(encoded(photo(320, 240, seed=1))) - grey).mean() > 20
    turned = encoded(picture.rotate(90, expand=True), exif=exif(orientation=6))
    assert np.abs(_grey(turned) - grey).mean() < 2


def test_colour_hardly_shows_in_grey() -> None:
    picture = photo(320, 240)
    faded = ImageEnhance.Color(picture).enhance(0.3)
    assert np.abs(_grey(encoded(faded)) - _grey(encoded(picture))).mean() < 2


def test_colours_are_where_they_are_and_survive_the_catalog() -> None:
    made = fingerprint(encoded(quadrants(64, 64), "PNG"), Limits())
    back = Fingerprint.from_bytes(bytes(made))
    assert np.array_equal(back.grey, made.grey)
    assert np.array_equal(back.colour, made.colour)
    corners = back.colour[[1, 1, 6, 6], [1, 6, 1, 6]].astype(int)
    red, green, blue, yellow = corners.tolist()
    assert red[1] == max(corners[:, 1])
    assert blue[0] == max(corners[:, 0])
    assert yellow[0] < 128 < red[1]
    assert green[1] < 128


def test_what_is_no_picture() -> None:
    with pytest.raises(UnreadableImage):
        fingerprint(b"Dear diary", Limits())
