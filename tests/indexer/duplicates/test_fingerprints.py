from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageEnhance

from indexer.duplicates.fingerprints import fingerprint
from indexer.errors import UnreadableImage
from indexer.images import Limits
from tests.pictures import encoded, exif, photo


def test_what_matters_is_the_picture_and_not_its_file() -> None:
    picture = photo(320, 240)
    grey = fingerprint(encoded(picture, quality=95), Limits()).astype(int)
    assert grey.shape == (32, 32)
    for data in (encoded(picture, "PNG"), encoded(picture.resize((1000, 750)), "WEBP")):
        assert np.abs(fingerprint(data, Limits()) - grey).mean() < 2
    assert np.abs(fingerprint(encoded(photo(320, 240, seed=1)), Limits()) - grey).mean() > 20
    turned = encoded(picture.rotate(90, expand=True), exif=exif(orientation=6))
    assert np.abs(fingerprint(turned, Limits()) - grey).mean() < 2


def test_colour_hardly_shows() -> None:
    picture = photo(320, 240)
    faded = ImageEnhance.Color(picture).enhance(0.3)
    difference = fingerprint(encoded(faded), Limits()).astype(int) - fingerprint(encoded(picture), Limits())
    assert np.abs(difference).mean() < 2


def test_what_is_no_picture() -> None:
    with pytest.raises(UnreadableImage):
        fingerprint(b"Dear diary", Limits())
