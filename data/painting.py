"""What the painters share: named colours, gradients, textures, shadows and an anti-aliased pen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

RGB = tuple[int, int, int]
Point = tuple[float, float]
Size = tuple[int, int]
Rng = np.random.Generator
Picture = tuple[Image.Image, str]
"""What a painter makes: the picture and its caption."""

COLOURS: dict[str, RGB] = {
    "red": (214, 40, 40),
    "orange": (244, 130, 32),
    "yellow": (250, 206, 44),
    "green": (46, 150, 72),
    "blue": (34, 92, 200),
    "purple": (122, 58, 170),
    "pink": (244, 130, 178),
    "brown": (122, 76, 42),
    "black": (28, 28, 32),
    "white": (248, 248, 244),
    "gray": (136, 138, 142),
    "turquoise": (40, 188, 184),
}
COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight")

# Layers are drawn at twice their size and halved: 8 ms for a 640 x 480 layer; at four times, 28 ms for a
# difference that JPEG hides.
_SUPERSAMPLING = 2


def pick(rng: Rng, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def vary(colour: RGB, rng: Rng, amount: int = 10) -> RGB:
    """A near neighbour, so that two red things are not the same red; never so far that its name changes."""
    shifted = np.clip(np.array(colour) + rng.integers(-amount, amount + 1, 3), 0, 255)
    return int(shifted[0]), int(shifted[1]), int(shifted[2])


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """`a` at share 0, `b` at share 1."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def gradient(size: Size, stops: Sequence[RGB]) -> Image.Image:
    """Evenly spaced colours from top to bottom."""
    rows = np.linspace(0, len(stops) - 1, size[1])
    channels = [np.interp(rows, range(len(stops)), [stop[channel] for stop in stops]) for channel in range(3)]
    column = np.stack(channels, -1)[:, None, :].round().astype(np.uint8)
    return Image.fromarray(column).resize(size)


def noise(size: Size, rng: Rng, cells: Size, octaves: int = 3) -> NDArray[np.float32]:
    """Smooth value noise in 0..1, `(height, width)`: `cells` bumps across and down, each octave twice as fine."""
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(octaves):
        grid = rng.random((cells[1] * 2**octave + 1, cells[0] * 2**octave + 1), np.float32)
        total += np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)) * 0.5**octave
    low, high = total.min(), total.max()
    scaled: NDArray[np.float32] = (total - low) / (high - low)
    return scaled


def blend(image: Image.Image, colour: RGB, mask: NDArray[np.float32]) -> None:
    """Lay `colour` over `image` as strongly as `mask` says, 0..1."""
    opacity = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))
    image.paste(colour, (0, 0), opacity)


def glow(image: Image.Image, centre: Point, radius: float, colour: RGB, strength: float = 1.0) -> None:
    """A soft disc of light, strongest at its centre."""
    width, height = image.size
    y, x = np.ogrid[0:height, 0:width]
    distance = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / radius**2
    blend(image, colour, (strength * np.exp(-distance)).astype(np.float32))


def grain(image: Image.Image, rng: Rng, amount: float = 3.5) -> Image.Image:
    """Film grain, `amount` grey levels strong, so that flat areas do not look like clip-art."""
    pixels = np.asarray(image, np.float32)
    speckle = rng.standard_normal((*pixels.shape[:2], 1), np.float32) * amount
    return Image.fromarray(np.clip(pixels + speckle, 0, 255).astype(np.uint8))


def ridge(width: int, rng: Rng, base: float, height: float, bumps: int, octaves: int = 4) -> list[Point]:
    """The outline of hills or mountains: points from left to right, `height` px high around `base`."""
    xs = np.linspace(0, width, 160)
    outline = np.zeros_like(xs)
    for octave in range(octaves):
        knots = rng.random(bumps * 2**octave + 1)
        outline += np.interp(xs, np.linspace(0, width, len(knots)), knots) * 0.5**octave
    outline = (outline - outline.mean()) / max(float(np.ptp(outline)), 1e-6)
    return [(float(x), float(base - height * y)) for x, y in zip(xs, outline, strict=True)]


class Pen:
    """Draws in pixels of the picture on a layer that is larger than it."""

    def __init__(self, layer: Image.Image) -> None:
        self._draw = ImageDraw.Draw(layer)

    def polygon(self, points: Sequence[Point], colour: RGB, alpha: int = 255) -> None:
        self._draw.polygon([(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points], fill=(*colour, alpha))

    def ellipse(self, centre: Point, rx: float, ry: float, colour: RGB, alpha: int = 255) -> None:
        x, y = centre
        self._draw.ellipse(_scaled((x - rx, y - ry, x + rx, y + ry)), fill=(*colour, alpha))

    def disc(self, centre: Point, radius: float, colour: RGB, alpha: int = 255) -> None:
        self.ellipse(centre, radius, radius, colour, alpha)

    def ring(self, centre: Point, radius: float, thickness: float, colour: RGB) -> None:
        x, y = centre
        box = _scaled((x - radius, y - radius, x + radius, y + radius))
        self._draw.ellipse(box, outline=(*colour, 255), width=round(thickness * _SUPERSAMPLING))

    def box(
        self, box: tuple[float, float, float, float], colour: RGB, *, alpha: int = 255, round_by: float = 0
    ) -> None:
        """`box` is left, top, right, bottom; boxes thinner than a pixel are not drawn."""
        if box[2] - box[0] >= 1 and box[3] - box[1] >= 1:
            self._draw.rounded_rectangle(_scaled(box), round_by * _SUPERSAMPLING, fill=(*colour, alpha))

    def line(self, points: Sequence[Point], colour: RGB, width: float, alpha: int = 255) -> None:
        scaled = [(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points]
        self._draw.line(scaled, fill=(*colour, alpha), width=max(1, round(width * _SUPERSAMPLING)), joint="curve")

    def slice(self, centre: Point, radius: float, start: float, end: float, colour: RGB) -> None:
        """A piece of a pie; angles in degrees, clockwise from three o'clock."""
        x, y = centre
        box = _scaled((x - radius, y - radius, x + radius, y + radius))
        self._draw.pieslice(box, start, end, fill=(*colour, 255))

    def text(self, centre: Point, words: str, height: float, colour: RGB, max_width: float | None = None) -> None:
        """Centred on `centre`, as large as `height` and `max_width` allow."""
        font = ImageFont.load_default(height * _SUPERSAMPLING)
        if max_width is not None:
            wide = font.getlength(words) / _SUPERSAMPLING
            font = ImageFont.load_default(height * _SUPERSAMPLING * min(1.0, max_width / wide))
        anchor = (centre[0] * _SUPERSAMPLING, centre[1] * _SUPERSAMPLING)
        self._draw.text(anchor, words, font=font, fill=(*colour, 255), anchor="mm")


def _scaled(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left * _SUPERSAMPLING, top * _SUPERSAMPLING, right * _SUPERSAMPLING, bottom * _SUPERSAMPLING


@contextmanager
def drawing(image: Image.Image, *, shadow: float = 0, blur: float = 0) -> Iterator[Pen]:
    """A pen on a layer of its own, laid over `image` at the end, with a soft shadow of `shadow` px under it."""
    layer = Image.new("RGBA", (image.width * _SUPERSAMPLING, image.height * _SUPERSAMPLING))
    yield Pen(layer)
    layer = layer.reduce(_SUPERSAMPLING)
    if blur:
        layer = layer.filter(ImageFilter.GaussianBlur(blur))
    if shadow:
        dark = layer.getchannel("A").point(lambda opacity: opacity * 0.45)
        moved = Image.new("L", image.size)
        moved.paste(dark, (round(shadow * 0.6), round(shadow)))
        image.paste((12, 12, 20), (0, 0), moved.filter(ImageFilter.BoxBlur(shadow * 0.8)))
    image.paste(layer.convert("RGB"), (0, 0), layer.getchannel("A"))
