"""Charts and signs: the pictures that people make rather than take."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from data.painting import (
    COLOURS,
    COUNTS,
    RGB,
    Pen,
    Picture,
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

WORDS = ("CAFE", "OPEN", "HOTEL", "EXIT", "MUSIC", "BAKERY", "TAXI", "MUSEUM", "BEACH", "STATION", "LIBRARY", "PIZZA")
_INK: RGB = (58, 62, 72)
_SERIES = ("blue", "red", "green", "orange", "purple", "turquoise", "pink", "brown")


def bar_chart(size: Size, rng: Rng) -> Picture:
    image, (left, top, right, bottom) = _paper(size)
    number, colour = int(rng.integers(3, 9)), pick(rng, _SERIES)
    step = (right - left) / number
    with drawing(image) as pen:
        _axes(pen, left, top, right, bottom)
        for bar, height in enumerate(rng.uniform(0.15, 0.95, number)):
            x = left + bar * step
            box = (x + step * 0.18, bottom - height * (bottom - top), x + step * 0.82, bottom)
            pen.box(box, vary(COLOURS[colour], rng))
    return image, f"a bar chart with {COUNTS[number - 1]} {colour} bars"


def line_chart(size: Size, rng: Rng) -> Picture:
    image, (left, top, right, bottom) = _paper(size)
    number = int(rng.integers(1, 4))
    colours = [str(name) for name in rng.choice(_SERIES, number, replace=False)]
    with drawing(image) as pen:
        _axes(pen, left, top, right, bottom)
        for colour in colours:
            steps = np.cumsum(rng.standard_normal(24))
            levels = (steps - steps.min()) / np.ptp(steps) * rng.uniform(0.5, 0.9) + 0.05
            xs = np.linspace(left, right, len(levels))
            points = [(float(x), float(bottom - y * (bottom - top))) for x, y in zip(xs, levels, strict=True)]
            pen.line(points, COLOURS[colour], 3.5)
    if number == 1:
        return image, f"a line chart with {with_article(colours[0])} line"
    return image, f"a line chart with {COUNTS[number - 1]} lines, {', '.join(colours[:-1])} and {colours[-1]}"


def pie_chart(size: Size, rng: Rng) -> Picture:
    image, _ = _paper(size)
    number = int(rng.integers(2, 6))
    shares = rng.dirichlet(np.full(number, 4.0)) * 360
    colours = [str(name) for name in rng.choice(_SERIES, number, replace=False)]
    centre, radius, start = (size[0] / 2, size[1] / 2), min(size) * 0.38, float(rng.uniform(0, 360))
    with drawing(image, shadow=4) as pen:
        for share, colour in zip(shares, colours, strict=True):
            pen.slice(centre, radius, start, start + share, COLOURS[colour])
            start += float(share)
    return image, f"a pie chart with {COUNTS[number - 1]} slices, {', '.join(colours[:-1])} and {colours[-1]}"


def scatter_chart(size: Size, rng: Rng) -> Picture:
    image, (left, top, right, bottom) = _paper(size)
    colour = pick(rng, _SERIES)
    slope = float(rng.choice([-1, 1]))
    xs = rng.uniform(0.03, 0.97, 70)
    ys = np.clip(0.5 + slope * (xs - 0.5) * 0.8 + rng.normal(0, 0.1, 70), 0.02, 0.98)
    with drawing(image) as pen:
        _axes(pen, left, top, right, bottom)
        for x, y in zip(xs, ys, strict=True):
            pen.disc((left + x * (right - left), bottom - y * (bottom - top)), 5, COLOURS[colour], 190)
    trend = "rising" if slope > 0 else "falling"
    return image, f"a scatter plot of {colour} dots {trend} to the right"


def road_sign(size: Size, rng: Rng) -> Picture:
    """A board with a word on a post, before a blurred street or field."""
    width, height = size
    words, colour = pick(rng, WORDS), pick(rng, ("green", "blue", "brown", "yellow", "red", "white"))
    image = gradient(size, ((150, 190, 224), (206, 220, 228), (132, 148, 110), (96, 110, 78)))
    blend(image, (70, 92, 60), 0.7 * noise(size, rng, (6, 4), 3) * np.linspace(0, 1, height, dtype=np.float32)[:, None])
    lettering = (32, 32, 36) if colour in ("yellow", "white") else (250, 250, 246)
    half, high, middle = width * 0.36, min(height * 0.16, width * 0.2), height * 0.36
    with drawing(image, shadow=5) as pen:
        pen.box((width / 2 - 9, middle, width / 2 + 9, height), (140, 142, 146))
        board = (width / 2 - half, middle - high, width / 2 + half, middle + high)
        pen.box(board, lettering, round_by=16)
        left, top, right, bottom = board
        pen.box((left + 5, top + 5, right - 5, bottom - 5), vary(COLOURS[colour], rng), round_by=12)
        pen.text((width / 2, middle), words, high * 1.15, lettering, half * 1.7)
    return image, f"{with_article(colour)} road sign that says {words}"


def neon_sign(size: Size, rng: Rng) -> Picture:
    """A glowing word on a dark wall at night."""
    width, height = size
    words, colour = pick(rng, WORDS), pick(rng, ("red", "pink", "turquoise", "orange", "green", "yellow", "blue"))
    image = gradient(size, ((26, 22, 36), (44, 34, 48), (18, 16, 24)))
    blend(image, (4, 4, 8), 0.7 * noise(size, rng, (width // 40, height // 16), 2))
    centre, light = (width / 2, height / 2), mix(COLOURS[colour], (255, 255, 255), 0.25)
    glow(image, centre, width * 0.4, COLOURS[colour], 0.4)
    for blur, shade in ((10.0, COLOURS[colour]), (3.0, light), (0.0, mix(light, (255, 255, 255), 0.6))):
        with drawing(image, blur=blur) as pen:
            pen.text(centre, words, height * 0.3, shade, width * 0.8)
    return image, f"{with_article(colour)} neon sign at night that says {words}"


def clock(size: Size, rng: Rng) -> Picture:
    """A wall clock at a whole hour."""
    hour, colour = int(rng.integers(1, 13)), pick(rng, ("red", "blue", "green", "black", "orange", "purple"))
    wall = vary(mix(COLOURS[pick(rng, ("yellow", "turquoise", "pink", "gray"))], (255, 255, 255), 0.6), rng)
    image = gradient(size, (wall, mix(wall, (60, 60, 80), 0.2)))
    x, y = size[0] / 2, size[1] / 2
    radius = min(size) * 0.36
    with drawing(image, shadow=10) as pen:
        pen.disc((x, y), radius, COLOURS[colour])
        pen.disc((x, y), radius * 0.86, (250, 250, 246))
        for number in range(1, 13):
            angle = math.radians(number * 30 - 90)
            place = (x + math.cos(angle) * radius * 0.7, y + math.sin(angle) * radius * 0.7)
            pen.text(place, str(number), radius * 0.2, _INK)
        for angle, length, thickness in ((hour * 30 - 90, 0.4, 0.07), (-90, 0.56, 0.05)):
            turn = math.radians(angle)
            tip = (x + math.cos(turn) * radius * length, y + math.sin(turn) * radius * length)
            pen.line([(x, y), tip], _INK, radius * thickness)
        pen.disc((x, y), radius * 0.06, _INK)
    return image, f"a round wall clock with {with_article(colour)} rim showing {hour} o'clock"


def _paper(size: Size) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """A page, and the plot's left, top, right and bottom."""
    width, height = size
    image = gradient(size, ((253, 253, 252), (244, 245, 247)))
    return image, (width * 0.1, height * 0.1, width * 0.94, height * 0.88)


def _axes(pen: Pen, left: float, top: float, right: float, bottom: float) -> None:
    for level in np.linspace(top, bottom, 6)[:-1]:
        pen.line([(left, float(level)), (right, float(level))], (216, 219, 225), 1)
    pen.line([(left, top), (left, bottom), (right, bottom)], _INK, 2)
