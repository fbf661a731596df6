"""Photos changed in known ways: what a picture goes through between a camera, a phone, a messenger and a disk."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

Edit = Callable[[Image.Image, random.Random], bytes]
"""A picture -> the file it becomes."""
_COLOURED = 12.8


def _encoded(picture: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format, **({"quality": 85} | options if format != "PNG" else options))
    return buffer.getvalue()


def _resized(picture: Image.Image, factor: float) -> Image.Image:
    size = max(8, round(picture.width * factor)), max(8, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _strength(rng: random.Random, most: float) -> float:
    """A factor from 1 / most to most, at least a tenth away from 1."""
    factor = math.exp(rng.uniform(math.log(1.1), math.log(most)))
    return rng.choice((factor, 1 / factor))


def _gamma(picture: Image.Image, rng: random.Random) -> bytes:
    gamma = _strength(rng, 1.5)
    return _encoded(picture.point([round(255 * (value / 255) ** gamma) for value in range(256)] * 3))


def _white_balance(picture: Image.Image, rng: random.Random) -> bytes:
    """Warmer or cooler: red and blue one up and one down by 4 to 10 %."""
    factor = math.exp(rng.choice((-1, 1)) * rng.uniform(0.04, 0.1))
    red, green, blue = ([min(255, round(value * by)) for value in range(256)] for by in (factor, 1, 1 / factor))
    return _encoded(picture.point(red + green + blue))


def coloured(picture: Image.Image) -> bool:
    """Whether other colours would show: Cb and Cr are a tenth of their range away from grey, on average."""
    chroma = np.asarray(picture.convert("YCbCr"), np.float32)[:, :, 1:] - 128
    return bool(np.hypot(chroma[:, :, 0], chroma[:, :, 1]).mean() >= _COLOURED)


def _other_hue(picture: Image.Image, rng: random.Random) -> bytes:
    """All hues turned by 60 to 180 degrees; brightness changes with them, as yellow is brighter than blue."""
    hue, saturation, value = picture.convert("HSV").split()
    by = rng.choice((-1, 1)) * rng.uniform(60, 180) / 360 * 256
    turned = hue.point([round(old + by) % 256 for old in range(256)])
    return _encoded(Image.merge("HSV", (turned, saturation, value)).convert("RGB"))


def _other_colours(picture: Image.Image, rng: random.Random) -> bytes:
    """Cb and Cr turned by 60 to 180 degrees: what is grey of it stays, but for colours that there are not."""
    parts = np.asarray(picture.convert("YCbCr"), np.float32) - np.float32([0, 128, 128])
    by = math.radians(rng.choice((-1, 1)) * rng.uniform(60, 180))
    turn = np.float32([[math.cos(by), -math.sin(by)], [math.sin(by), math.cos(by)]])
    parts[:, :, 1:] = parts[:, :, 1:] @ turn.T + 128
    return _encoded(Image.fromarray(parts.clip(0, 255).astype(np.uint8), "YCbCr").convert("RGB"))


def _text(picture: Image.Image, rng: random.Random) -> bytes:
    """A line of a twelfth of the height, somewhere in the lower half."""
    changed = picture.copy()
    place = rng.uniform(0.02, 0.3) * picture.width, rng.uniform(0.5, 0.88) * picture.height
    ImageDraw.Draw(changed).text(place, "Summer holidays", fill="white", font_size=picture.height / 12)
    return _encoded(changed)


def _border(picture: Image.Image, rng: random.Random) -> bytes:
    """Of one colour, 1 to 4 % of the width on every side."""
    colour = rng.choice(("white", "black", "gray"))
    return _encoded(ImageOps.expand(picture, max(1, round(picture.width * rng.uniform(0.01, 0.04))), colour))


def _rotation(picture: Image.Image, rng: random.Random) -> bytes:
    """By half a degree to two, and cut to what has no empty corner, as programs that straighten a horizon do."""
    angle = rng.choice((-1, 1)) * rng.uniform(0.5, 2)
    turned = picture.rotate(angle, Image.Resampling.BICUBIC)
    lost = math.sin(math.radians(abs(angle))) / 2
    margin = math.ceil(picture.height * lost), math.ceil(picture.width * lost)
    return _encoded(turned.crop((margin[0], margin[1], picture.width - margin[0], picture.height - margin[1])))


def cropped(picture: Image.Image, rng: random.Random, least: float, most: float) -> Image.Image:
    """A share of its area from `least` to `most`, at a random place, of a shape up to a fifth wider or narrower."""
    share, shape = rng.uniform(least, most), math.exp(rng.uniform(-1, 1) * math.log(1.2))
    width = min(1.0, math.sqrt(share * shape))
    height = min(1.0, share / width)
    size = round(width * picture.width), round(height * picture.height)
    left, top = rng.randint(0, picture.width - size[0]), rng.randint(0, picture.height - size[1])
    return picture.crop((left, top, left + size[0], top + size[1]))


def _crop(least: float, most: float) -> Edit:
    def edit(picture: Image.Image, rng: random.Random) -> bytes:
        return _encoded(cropped(picture, rng, least, most), quality=90)

    return edit


def _crop_and_more(picture: Image.Image, rng: random.Random) -> bytes:
    """A crop that was resized, and saved with few bits."""
    return _encoded(_resized(cropped(picture, rng, 0.5, 0.95), rng.uniform(0.5, 2)), quality=rng.randint(40, 90))


REENCODED: Final[dict[str, Edit]] = {
    "JPEG, quality 30 to 95": lambda picture, rng: _encoded(picture, quality=rng.randint(30, 95)),
    "WebP, quality 30 to 95": lambda picture, rng: _encoded(picture, "WEBP", quality=rng.randint(30, 95)),
    "PNG": lambda picture, rng: _encoded(picture, "PNG"),
    "resized, 0.25 to 1": lambda picture, rng: _encoded(_resized(picture, rng.uniform(0.25, 1))),
    "resized, 1 to 2": lambda picture, rng: _encoded(_resized(picture, rng.uniform(1.05, 2))),
}
EDITED: Final[dict[str, Edit]] = {
    "brightness": lambda picture, rng: _encoded(ImageEnhance.Brightness(picture).enhance(_strength(rng, 1.4))),
    "contrast": lambda picture, rng: _encoded(ImageEnhance.Contrast(picture).enhance(_strength(rng, 1.5))),
    "saturation": lambda picture, rng: _encoded(ImageEnhance.Color(picture).enhance(_strength(rng, 2))),
    "gamma": _gamma,
    "white balance": _white_balance,
    "without colour": lambda picture, rng: _encoded(ImageOps.grayscale(picture)),
    "a line of text": _text,
    "a border": _border,
    "turned by up to 2 degrees": _rotation,
}
CROPPED: Final[dict[str, Edit]] = {
    "crop, 80 to 95 % of the area": _crop(0.8, 0.95),
    "crop, 65 to 80 %": _crop(0.65, 0.8),
    "crop, 50 to 65 %": _crop(0.5, 0.65),
    "crop, 50 to 95 %, resized, re-encoded": _crop_and_more,
}
FLIPPED: Final[dict[str, Edit]] = {"left and right exchanged": lambda picture, rng: _encoded(ImageOps.mirror(picture))}
RECOLOURED: Final[dict[str, Edit]] = {"hues turned": _other_hue, "colours of the same brightness": _other_colours}

FAMILIES: Final = {
    "re-encoded": REENCODED,
    "lightly edited": EDITED,
    "cropped": CROPPED,
    "mirrored": FLIPPED,
    "recoloured": RECOLOURED,
}
