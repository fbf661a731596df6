from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from indexer.images import read_look
from indexer.looks.colours import unpacked
from indexer.looks.look import PREVIEW_SIDE, look_of
from tests.palette import PaletteEncoder
from tests.pictures import encoded, exif, photo, plain, quadrants

DECODE = PaletteEncoder().manifest.decode


def corners(preview: bytes) -> list[str]:
    """What colour is nearest, of each quarter, from the top left on."""
    picture = Image.open(BytesIO(preview)).convert("RGB")
    wide, high = picture.size
    names = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
    seen = [picture.getpixel((wide * x // 4, high * y // 4)) for y in (1, 3) for x in (1, 3)]
    return [min(names, key=lambda name: float(np.abs(np.subtract(names[name], pixel)).sum())) for pixel in seen]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_preview_is_small_upright_and_of_the_pictures_shape(format: str) -> None:
    for data in (
        encoded(quadrants(640, 480), format),
        encoded(quadrants(640, 480).transpose(Image.Transpose.ROTATE_90), format, exif=exif(orientation=6)),
    ):
        for look in (DECODE(data, look=True).look, read_look(data)):
            assert look is not None
            assert Image.open(BytesIO(look.preview)).size == (PREVIEW_SIDE, 12)
            assert corners(look.preview) == ["red", "green", "blue", "yellow"]
            assert len(look.preview) < 300


def test_all_of_the_picture_is_looked_at_where_a_model_crops() -> None:
    """A strip of ten squares, of which the model sees the middle ones."""
    strip = Image.new("RGB", (1000, 100), "blue")
    strip.paste("red", (0, 0, 300, 100))
    look = DECODE(encoded(strip), look=True).look
    assert look is not None
    assert unpacked(look.colours)["red"] == pytest.approx(0.3, abs=0.05)
    assert Image.open(BytesIO(look.preview)).size == (16, 2)


def test_nothing_is_looked_at_unasked() -> None:
    assert DECODE(encoded(plain("red"))).look is None


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    assert unpacked(read_look(encoded(clear, "PNG")).colours) == {"white": 1, "monochrome": 1}


def test_a_picture_of_few_pixels_has_a_look() -> None:
    look = look_of(np.zeros((1, 2, 3), np.uint8), (2, 1))
    assert Image.open(BytesIO(look.preview)).size == (2, 1)


def test_a_preview_looks_like_its_photo() -> None:
    picture = photo(640, 480, seed=3)
    shown = Image.open(BytesIO(read_look(encoded(picture)).preview)).convert("RGB")
    wanted = np.asarray(picture.resize((16, 12), Image.Resampling.BOX), float)
    error = np.mean((np.asarray(shown, float) - wanted) ** 2)
    assert 10 * np.log10(255**2 / error) > 25
