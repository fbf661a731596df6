"""Coloured shapes whose colour, number and place the caption says: "two red circles above a blue square"."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from data.painting import (
    COLOURS,
    COUNTS,
    RGB,
    Pen,
    Picture,
    Point,
    Rng,
    Size,
    blend,
    drawing,
    glow,
    gradient,
    mix,
    noise,
    pick,
    vary,
    with_article,
)

SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond", "ring", "cross", "hexagon", "crescent moon")
RELATIONS = ("above", "below", "to the left of", "to the right of")
PATTERNS = ("stripes", "polka dots", "checks", "zigzags")


@dataclass(frozen=True, slots=True)
class _Surface:
    words: str
    stops: tuple[RGB, ...]
    texture: str
    clashes: frozenset[str]  # colours that would be hard to see on it


_SURFACES = (
    _Surface("a wooden table", ((176, 124, 78), (150, 100, 60)), "wood", frozenset({"brown", "orange"})),
    _Surface("green grass", ((96, 150, 62), (70, 124, 44)), "grass", frozenset({"green"})),
    _Surface("sand", ((232, 208, 160), (214, 184, 132)), "speckle", frozenset({"yellow", "white", "orange"})),
    _Surface("a dark background", ((44, 48, 66), (22, 24, 34)), "soft", frozenset({"black", "brown", "purple"})),
    _Surface("a white background", ((252, 252, 250), (232, 234, 238)), "soft", frozenset({"white"})),
    _Surface("a light blue background", ((186, 220, 244), (150, 194, 230)), "soft", frozenset({"blue", "turquoise"})),
    _Surface("a pink background", ((252, 214, 222), (244, 186, 200)), "soft", frozenset({"pink", "red"})),
    _Surface(
        "a yellow background", ((252, 228, 132), (246, 208, 92)), "soft", frozenset({"yellow", "orange", "white"})
    ),
    _Surface("grid paper", ((250, 250, 246), (242, 243, 240)), "grid", frozenset({"white"})),
    _Surface("a brick wall", ((172, 84, 64), (150, 70, 54)), "brick", frozenset({"red", "brown", "orange"})),
)


def plural(shape: str, number: int) -> str:
    if number == 1:
        return shape
    return "crosses" if shape == "cross" else f"{shape}s"


def phrase(number: int, colour: str, shape: str) -> str:
    """`2, "red", "circle"` -> "two red circles"; one is "a" or "an"."""
    if number > 1:
        return f"{COUNTS[number - 1]} {colour} {plural(shape, number)}"
    return with_article(f"{colour} {shape}")


def scattered(size: Size, rng: Rng) -> Picture:
    """One to six alike, side by side: number and colour."""
    image, surface = _surface(size, rng)
    colour, shape = _colour_on(surface, rng), pick(rng, SHAPES)
    number = int(rng.integers(1, 7))
    width, height = size
    radius = min(size) * (0.27 if number == 1 else 0.36 / math.sqrt(number + 1))
    with drawing(image, shadow=radius * 0.12) as pen:
        for centre in _places(number, (0, 0, width, height), rng, radius):
            _shape(pen, shape, centre, radius * rng.uniform(0.9, 1.05), vary(COLOURS[colour], rng))
    return image, f"{phrase(number, colour, shape)} on {surface.words}"


def related(size: Size, rng: Rng) -> Picture:
    """Two groups, one beside the other: numbers, colours and where."""
    image, surface = _surface(size, rng)
    relation = pick(rng, RELATIONS)
    halves = _halves(size, relation)
    radius = min(min(half[2] - half[0], half[3] - half[1]) for half in halves) * 0.29
    groups, taken = [], set[str]()
    with drawing(image, shadow=radius * 0.14) as pen:
        for half in halves:
            colour, shape = _colour_on(surface, rng, taken), pick(rng, SHAPES)
            taken.add(colour)
            number = int(rng.choice([1, 1, 2, 3]))
            smaller = radius * (1.0, 0.8, 0.66)[number - 1]
            for centre in _places(number, half, rng, smaller):
                _shape(pen, shape, centre, smaller, vary(COLOURS[colour], rng))
            groups.append(phrase(number, colour, shape))
    return image, f"{groups[0]} {relation} {groups[1]} on {surface.words}"


def inside(size: Size, rng: Rng) -> Picture:
    """A small shape in a large one."""
    image, surface = _surface(size, rng)
    outer, inner = _colour_on(surface, rng), ""
    while not inner or inner == outer:
        inner = pick(rng, tuple(COLOURS))
    frame, shape = pick(rng, ("circle", "square", "hexagon", "diamond")), pick(rng, SHAPES)
    radius, centre = min(size) * 0.38, (size[0] / 2, size[1] / 2)
    with drawing(image, shadow=radius * 0.06) as pen:
        _shape(pen, frame, centre, radius, vary(COLOURS[outer], rng))
    with drawing(image, shadow=radius * 0.03) as pen:
        _shape(pen, shape, centre, radius * 0.42, vary(COLOURS[inner], rng))
    return image, f"{phrase(1, inner, shape)} inside {phrase(1, outer, frame)} on {surface.words}"


def pattern(size: Size, rng: Rng) -> Picture:
    """Two colours all over, like wallpaper or cloth."""
    first, second = (str(name) for name in rng.choice(list(COLOURS), 2, replace=False))
    kind, step = pick(rng, PATTERNS), float(rng.integers(36, 72))
    dark, light = vary(COLOURS[first], rng), vary(COLOURS[second], rng)
    image = Image.new("RGB", size, light)
    columns, rows = int(size[0] / step) + 2, int(size[1] / step) + 2
    with drawing(image) as pen:
        for row in range(-1, rows):
            _pattern_row(pen, kind, row, columns, step, dark)
    _weave(image, rng)
    return image, f"a pattern of {first} and {second} {kind}"


def _pattern_row(pen: Pen, kind: str, row: int, columns: int, step: float, colour: RGB) -> None:
    top = row * step
    if kind == "stripes":
        pen.box((0, top, columns * step, top + step / 2), colour)
    elif kind == "zigzags":
        points = [(column * step / 2, top + step * 0.4 * (column % 2)) for column in range(columns * 2)]
        pen.line(points, colour, step * 0.3)
    elif kind == "polka dots":
        for column in range(columns):
            pen.disc(((column + 0.5 * (row % 2)) * step, top), step * 0.28, colour)
    else:
        for column in range(row % 2, columns, 2):
            pen.box((column * step, top, (column + 1) * step, top + step), colour)


def _weave(image: Image.Image, rng: Rng) -> None:
    blend(image, (255, 255, 255), 0.16 * noise(image.size, rng, (2, 2), 2))
    blend(image, (0, 0, 0), 0.10 * noise(image.size, rng, (image.width // 4, image.height // 4), 1))


def _surface(size: Size, rng: Rng) -> tuple[Image.Image, _Surface]:
    surface = _SURFACES[int(rng.integers(len(_SURFACES)))]
    image = gradient(size, surface.stops)
    width, height = size
    dark = mix(surface.stops[-1], (0, 0, 0), 0.45)
    if surface.texture == "wood":
        blend(image, dark, 0.5 * noise(size, rng, (2, height // 12), 2))
        with drawing(image) as pen:
            for y in range(height // 4, height, height // 4):
                pen.line([(0, y), (width, y)], dark, 1.5, 150)
    elif surface.texture == "grass":
        blend(image, dark, 0.8 * noise(size, rng, (width // 4, height // 12), 1))
    elif surface.texture == "speckle":
        blend(image, dark, 0.3 * noise(size, rng, (width // 3, height // 3), 1) ** 2)
    elif surface.texture == "grid":
        with drawing(image) as pen:
            _grid(pen, size, 24, (176, 200, 222))
    elif surface.texture == "brick":
        _bricks(image, rng)
    glow(image, (width * rng.uniform(0.1, 0.9), 0), max(size) * 0.8, (255, 255, 255), 0.18)
    return image, surface


def _grid(pen: Pen, size: Size, step: int, colour: RGB) -> None:
    for x in range(step, size[0], step):
        pen.line([(x, 0), (x, size[1])], colour, 0.5)
    for y in range(step, size[1], step):
        pen.line([(0, y), (size[0], y)], colour, 0.5)


def _bricks(image: Image.Image, rng: Rng) -> None:
    mortar, long, high = (206, 196, 184), 64, 26
    blend(image, (60, 24, 18), 0.6 * noise(image.size, rng, (image.width // 30, image.height // 12), 2))
    with drawing(image) as pen:
        for row, y in enumerate(range(0, image.height, high)):
            pen.line([(0, y), (image.width, y)], mortar, 2)
            for x in range(-(row % 2) * long // 2, image.width, long):
                pen.line([(x, y), (x, y + high)], mortar, 2)


def _colour_on(surface: _Surface, rng: Rng, taken: set[str] | frozenset[str] = frozenset()) -> str:
    return pick(rng, [name for name in COLOURS if name not in surface.clashes | taken])


def _halves(size: Size, relation: str) -> list[tuple[float, float, float, float]]:
    """The areas of the first and the second group."""
    width, height = float(size[0]), float(size[1])
    if relation in ("above", "below"):
        areas = [(0.0, 0.0, width, height / 2), (0.0, height / 2, width, height)]
    else:
        areas = [(0.0, 0.0, width / 2, height), (width / 2, 0.0, width, height)]
    return areas if relation in ("above", "to the left of") else areas[::-1]


def _places(number: int, area: tuple[float, float, float, float], rng: Rng, radius: float) -> list[Point]:
    """Centres in rows that fit the area's proportions, a little shaken, never touching."""
    left, top, right, bottom = area
    width, height = right - left, bottom - top
    columns = min(number, max(1, round(math.sqrt(number * width / height))))
    rows = math.ceil(number / columns)
    cell = min(width / columns, height / rows, radius * 2.9)
    places = []
    for index in range(number):
        row, column = divmod(index, columns)
        in_row = min(columns, number - row * columns)
        x = left + width / 2 + (column - (in_row - 1) / 2) * cell
        y = top + height / 2 + (row - (rows - 1) / 2) * cell
        shake = max(0.0, cell / 2 - radius * 1.1)
        places.append((x + rng.uniform(-shake, shake), y + rng.uniform(-shake, shake)))
    return places


def _shape(pen: Pen, shape: str, centre: Point, radius: float, colour: RGB) -> None:
    x, y = centre
    if shape == "circle":
        pen.disc(centre, radius, colour)
    elif shape == "square":
        side = radius * 0.88
        pen.box((x - side, y - side, x + side, y + side), colour, round_by=radius * 0.06)
    elif shape == "ring":
        pen.ring(centre, radius, radius * 0.34, colour)
    elif shape == "cross":
        arm = radius * 0.3
        pen.box((x - arm, y - radius, x + arm, y + radius), colour)
        pen.box((x - radius, y - arm, x + radius, y + arm), colour)
    else:
        pen.polygon([(x + radius * px, y + radius * py) for px, py in _OUTLINES[shape]], colour)


def _regular(corners: int, turn: float = -90.0) -> list[Point]:
    angles = [math.radians(turn + 360 * corner / corners) for corner in range(corners)]
    return [(math.cos(angle), math.sin(angle)) for angle in angles]


def _star() -> list[Point]:
    long, short = _regular(5), _regular(5, -54.0)
    return [point for a, b in zip(long, short, strict=True) for point in (a, (b[0] * 0.42, b[1] * 0.42))]


def _heart() -> list[Point]:
    """The usual heart curve, 16 sin^3 t against cosines, scaled to the unit circle."""
    turns = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    xs = 16 * np.sin(turns) ** 3
    ys = 13 * np.cos(turns) - 5 * np.cos(2 * turns) - 2 * np.cos(3 * turns) - np.cos(4 * turns)
    return [(float(px) / 17, -float(py) / 17) for px, py in zip(xs, ys, strict=True)]


def _crescent() -> list[Point]:
    """A unit circle less the circle of radius 0.79 around (0.45, 0); they meet at 50 degrees above and below."""
    outer = [(math.cos(turn), math.sin(turn)) for turn in np.radians(np.linspace(50, 310, 50))]
    inner = [(0.45 + 0.79 * math.cos(turn), 0.79 * math.sin(turn)) for turn in np.radians(np.linspace(284, 76, 40))]
    return outer + inner


_OUTLINES: dict[str, list[Point]] = {
    "triangle": [(0, -0.95), (0.95, 0.75), (-0.95, 0.75)],
    "star": _star(),
    "heart": _heart(),
    "diamond": [(0, -1), (0.7, 0), (0, 1), (-0.7, 0)],
    "hexagon": _regular(6),
    "crescent moon": _crescent(),
}
