"""The things that stand, float and swim in the scenes; each is drawn by a pen, at a place, in a size in pixels."""

from __future__ import annotations

import math

from data.painting import RGB, Pen, Point, Rng, Size, mix


def land(pen: Pen, size: Size, outline: list[Point], colour: RGB) -> None:
    pen.polygon([(0, size[1]), *outline, (size[0], size[1])], colour)


def fir(pen: Pen, foot: Point, tall: float, colour: RGB) -> None:
    x, y = foot
    pen.box((x - tall * 0.025, y - tall * 0.2, x + tall * 0.025, y), mix(colour, (40, 26, 16), 0.6))
    for tier in range(4):
        low, half = y - tall * (0.1 + 0.21 * tier), tall * (0.24 - 0.05 * tier)
        pen.polygon([(x - half, low), (x + half, low), (x, low - tall * 0.32)], colour)


def cactus(pen: Pen, foot: Point, tall: float) -> None:
    x, y = foot
    thick, green = tall * 0.09, (58, 122, 70)
    pen.box((x - thick, y - tall, x + thick, y), green, round_by=thick)
    for side, low, high in ((-1, 0.4, 0.75), (1, 0.3, 0.6)):
        arm = x + side * tall * 0.26
        pen.box(
            (min(x, arm), y - tall * low - thick, max(x, arm), y - tall * low + thick * 0.4),
            green,
            round_by=thick * 0.6,
        )
        pen.box(
            (arm - thick * 0.75, y - tall * high, arm + thick * 0.75, y - tall * low + thick * 0.4),
            green,
            round_by=thick * 0.7,
        )


def tower(pen: Pen, box: tuple[float, float, float, float], colour: RGB, night: bool, rng: Rng) -> None:
    left, top, right, bottom = box
    pen.box(box, colour)
    step = (right - left) / 5
    for row in range(int((bottom - top) / (step * 1.3))):
        for column in range(4):
            lit = rng.random() < 0.45
            glass = (
                ((255, 222, 140) if lit else mix(colour, (0, 0, 0), 0.3))
                if night
                else mix(colour, (230, 242, 250), 0.6)
            )
            x, y = left + step * (column + 0.7), top + step * (1.3 * row + 0.6)
            pen.box((x, y, x + step * 0.6, y + step * 0.8), glass)


def balloon(pen: Pen, centre: Point, radius: float, colour: RGB) -> None:
    x, y = centre
    pen.line([(x - radius * 0.5, y + radius * 0.8), (x - radius * 0.16, y + radius * 1.5)], (90, 70, 50), 1.5)
    pen.line([(x + radius * 0.5, y + radius * 0.8), (x + radius * 0.16, y + radius * 1.5)], (90, 70, 50), 1.5)
    pen.polygon(
        [
            (x - radius * 0.86, y + radius * 0.5),
            (x + radius * 0.86, y + radius * 0.5),
            (x + radius * 0.2, y + radius * 1.25),
            (x - radius * 0.2, y + radius * 1.25),
        ],
        colour,
    )
    pen.disc(centre, radius, colour)
    pen.ellipse(centre, radius * 0.62, radius, mix(colour, (255, 255, 255), 0.25))
    pen.ellipse(centre, radius * 0.24, radius, colour)
    pen.box((x - radius * 0.2, y + radius * 1.45, x + radius * 0.2, y + radius * 1.75), (120, 84, 50), round_by=3)


def boat(pen: Pen, at: Point, tall: float, sail: RGB, hull: RGB) -> None:
    x, y = at
    pen.polygon(
        [
            (x - tall * 0.45, y - tall * 0.14),
            (x + tall * 0.45, y - tall * 0.14),
            (x + tall * 0.3, y),
            (x - tall * 0.32, y),
        ],
        hull,
    )
    pen.line([(x, y - tall * 0.14), (x, y - tall)], mix(hull, (0, 0, 0), 0.3), tall * 0.025)
    pen.polygon(
        [(x + tall * 0.03, y - tall * 0.97), (x + tall * 0.4, y - tall * 0.2), (x + tall * 0.03, y - tall * 0.2)], sail
    )
    pen.polygon(
        [(x - tall * 0.03, y - tall * 0.85), (x - tall * 0.3, y - tall * 0.2), (x - tall * 0.03, y - tall * 0.2)],
        mix(sail, (0, 0, 0), 0.12),
    )


def flower(pen: Pen, at: Point, radius: float, colour: RGB) -> None:
    x, y = at
    pen.line([(x, y), (x, y + radius * 2.6)], (58, 112, 44), max(1.0, radius * 0.22))
    for petal in range(5):
        angle = math.radians(72 * petal - 90)
        pen.disc((x + math.cos(angle) * radius * 0.6, y + math.sin(angle) * radius * 0.6), radius * 0.5, colour)
    pen.disc(at, radius * 0.36, (250, 214, 70) if colour[2] > 80 or colour[1] < 120 else (120, 72, 34))


def house(pen: Pen, foot: Point, wide: float, wall: RGB, roof: RGB) -> None:
    x, y = foot
    half, top = wide / 2, y - wide * 0.55
    pen.box((x + half * 0.4, top - wide * 0.42, x + half * 0.62, top), mix(wall, (80, 40, 30), 0.6))
    pen.box((x - half, top, x + half, y), wall)
    pen.polygon([(x - half * 1.18, top), (x + half * 1.18, top), (x, top - wide * 0.5)], roof)
    pen.box((x - wide * 0.08, y - wide * 0.32, x + wide * 0.08, y), (96, 60, 38))
    for side in (-1, 1):
        centre = x + side * half * 0.58
        pen.box((centre - wide * 0.1, top + wide * 0.1, centre + wide * 0.1, top + wide * 0.28), (196, 226, 240))
        pen.line([(centre, top + wide * 0.1), (centre, top + wide * 0.28)], (250, 250, 250), 2)


def fish(pen: Pen, at: Point, long: float, colour: RGB, faces_left: bool) -> None:
    x, y = at
    side = -1 if faces_left else 1
    pen.polygon(
        [
            (x - side * long * 0.7, y),
            (x - side * long * 1.25, y - long * 0.4),
            (x - side * long * 1.25, y + long * 0.4),
        ],
        mix(colour, (0, 0, 0), 0.15),
    )
    pen.polygon(
        [(x, y - long * 0.35), (x - side * long * 0.5, y - long * 0.75), (x - side * long * 0.5, y - long * 0.2)],
        mix(colour, (0, 0, 0), 0.15),
    )
    pen.ellipse(at, long * 0.9, long * 0.48, colour)
    pen.ellipse((x - side * long * 0.1, y), long * 0.12, long * 0.42, mix(colour, (255, 255, 255), 0.6))
    pen.disc((x + side * long * 0.55, y - long * 0.1), long * 0.12, (255, 255, 255))
    pen.disc((x + side * long * 0.58, y - long * 0.1), long * 0.06, (20, 20, 24))
