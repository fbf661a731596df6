"""Landscape-like scenes: sky, sea, hills, woods and towns, with the things in them counted and coloured."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from data import props
from data.painting import (
    COLOURS,
    COUNTS,
    RGB,
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
    ridge,
    vary,
    with_article,
)

_DAY: tuple[RGB, ...] = ((72, 140, 214), (150, 198, 236), (214, 232, 244))
_DUSK: tuple[RGB, ...] = ((48, 40, 92), (150, 70, 110), (244, 128, 70), (254, 206, 112))
_NIGHT: tuple[RGB, ...] = ((8, 12, 34), (18, 28, 66), (40, 52, 98))


def sunset(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, _DUSK)
    horizon, x = height * rng.uniform(0.55, 0.68), width * rng.uniform(0.3, 0.7)
    _clouds(image, rng, (90, 44, 84), 0.75, horizon)
    glow(image, (x, horizon), width * 0.32, (255, 226, 150), 0.9)
    with drawing(image) as pen:
        pen.disc((x, horizon - height * 0.06), min(size) * 0.08, (255, 240, 190))
    _sea(image, rng, horizon, ((210, 108, 74), (66, 44, 88)), glitter=(255, 220, 150), glitter_x=x)
    boat = bool(rng.random() < 0.5)
    if boat:
        with drawing(image) as pen:
            props.boat(
                pen,
                (width * rng.uniform(0.15, 0.85), horizon + height * 0.1),
                min(size) * 0.13,
                (28, 20, 34),
                (44, 30, 46),
            )
    return image, f"sunset over the sea with {'a sailing boat' if boat else 'an orange sky'}"


def starry_night(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, _NIGHT)
    blend(image, (120, 110, 190), 0.4 * np.clip(noise(size, rng, (3, 3), 4) * 1.8 - 0.9, 0, 1))
    with drawing(image) as pen:
        for x, y, radius in zip(
            rng.uniform(0, width, 220), rng.uniform(0, height * 0.8, 220), rng.uniform(0.4, 1.7, 220), strict=True
        ):
            pen.disc((float(x), float(y)), float(radius), (255, 252, 236), int(rng.integers(120, 256)))
    moon = bool(rng.random() < 0.5)
    if moon:
        centre = (width * rng.uniform(0.2, 0.8), height * rng.uniform(0.18, 0.35))
        glow(image, centre, min(size) * 0.22, (210, 220, 255), 0.5)
        with drawing(image) as pen:
            pen.disc(centre, min(size) * 0.08, (246, 244, 226))
    with drawing(image) as pen:
        for depth, colour in ((0.78, (20, 26, 50)), (0.88, (10, 12, 26))):
            props.land(pen, size, ridge(width, rng, height * depth, height * 0.16, 3), colour)
    return image, f"a night sky full of stars{' and a full moon' if moon else ''} over dark hills"


def mountains(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, _DAY)
    _clouds(image, rng, (255, 255, 255), 0.8, height * 0.5)
    lake = bool(rng.random() < 0.5)
    outline = ridge(width, rng, height * 0.46, height * 0.42, 4, 5)
    snow_line = height * 0.44
    with drawing(image) as pen:
        props.land(pen, size, outline, (104, 116, 140))
        drips = rng.uniform(0, height * 0.06, len(outline))
        snow = [
            (x, max(y, min(snow_line, y + height * 0.1) + drip * (y < snow_line)))
            for (x, y), drip in zip(outline, drips, strict=True)
        ]
        pen.polygon(outline + snow[::-1], (244, 248, 252))
        props.land(pen, size, ridge(width, rng, height * 0.66, height * 0.14, 5), (66, 96, 92))
        if not lake:
            props.land(pen, size, ridge(width, rng, height * 0.82, height * 0.08, 3), (92, 140, 70))
    if lake:
        _sea(image, rng, height * 0.74, ((128, 170, 190), (52, 96, 130)))
    return image, f"snowy mountains {'behind a lake' if lake else 'above a green valley'} under a blue sky"


def forest(size: Size, rng: Rng) -> Picture:
    width, height = size
    season, leaf = ("in autumn", (196, 104, 34)) if rng.random() < 0.4 else ("in the mist", (38, 84, 60))
    sky: tuple[RGB, ...] = ((206, 220, 224), (232, 236, 230))
    image = gradient(size, sky)
    for depth in range(4):
        share = depth / 3
        colour = mix((188, 204, 204), leaf, 0.25 + 0.75 * share)
        base, tall = height * (0.62 + 0.12 * depth), height * (0.3 + 0.16 * depth)
        with drawing(image) as pen:
            props.land(pen, size, ridge(width, rng, base, height * 0.05, 3), colour)
            for x in rng.uniform(-0.05, 1.05, 13 - 2 * depth):
                props.fir(
                    pen, (float(x) * width, base + height * 0.03), tall * rng.uniform(0.7, 1.1), vary(colour, rng, 12)
                )
        blend(image, sky[1], np.full((height, width), 0.10 * (1 - share), np.float32))
    return image, f"a forest of {'orange' if season == 'in autumn' else 'green'} fir trees {season}"


def desert(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, ((92, 160, 216), (188, 216, 230), (250, 226, 180)))
    with drawing(image) as pen:
        pen.disc((width * rng.uniform(0.2, 0.8), height * 0.2), min(size) * 0.07, (255, 246, 206))
        for depth, colour in enumerate(((222, 164, 98), (208, 142, 76), (188, 118, 58))):
            props.land(pen, size, ridge(width, rng, height * (0.56 + 0.15 * depth), height * 0.16, 2, 1), colour)
    number = int(rng.integers(1, 4))
    with drawing(image, shadow=5) as pen:
        for place in range(number):
            x = width * (place + rng.uniform(0.35, 0.65)) / number
            props.cactus(pen, (x, height * rng.uniform(0.84, 0.92)), height * rng.uniform(0.22, 0.32))
    return image, f"{_counted(number, 'cactus', 'cacti')} in a sandy desert"


def city(size: Size, rng: Rng) -> Picture:
    width, height = size
    night = bool(rng.random() < 0.6)
    image = gradient(size, _NIGHT if night else _DAY)
    if night:
        glow(image, (width / 2, height), width * 0.6, (236, 150, 90), 0.5)
    for depth in range(3):
        colour = (
            mix((64, 70, 104), (18, 20, 34), depth / 2) if night else mix((176, 192, 210), (92, 106, 128), depth / 2)
        )
        with drawing(image) as pen:
            x = -10.0
            while x < width:
                wide = float(rng.uniform(0.07, 0.13)) * width
                props.tower(
                    pen,
                    (x, height * rng.uniform(0.25, 0.6) + depth * height * 0.1, x + wide, height),
                    colour,
                    night,
                    rng,
                )
                x += wide * rng.uniform(1.0, 1.2)
    return image, "a city skyline at night with lit windows" if night else "tall buildings in a city by day"


def balloons(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, _DAY)
    _clouds(image, rng, (255, 255, 255), 0.9, height * 0.8)
    with drawing(image) as pen:
        props.land(pen, size, ridge(width, rng, height * 0.9, height * 0.1, 3), (108, 150, 84))
    number, colour = int(rng.integers(1, 5)), pick(rng, ("red", "orange", "yellow", "green", "purple", "pink"))
    with drawing(image) as pen:
        for place in range(number):
            centre = (width * (place + 0.5) / number, height * rng.uniform(0.26, 0.5))
            radius = min(height * 0.17, width * 0.36 / number) * rng.uniform(0.85, 1.0)
            props.balloon(pen, centre, radius, vary(COLOURS[colour], rng))
    return image, f"{_counted(number, f'{colour} hot-air balloon')} in a blue sky"


def sailing(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, _DAY)
    horizon = height * 0.45
    _clouds(image, rng, (255, 255, 255), 0.8, horizon)
    _sea(image, rng, horizon, ((92, 168, 204), (22, 92, 150)))
    number, colour = int(rng.integers(1, 4)), pick(rng, ("red", "white", "yellow", "orange", "green"))
    with drawing(image) as pen:
        for place in range(number):
            at = (width * (place + 0.5) / number, height * rng.uniform(0.6, 0.8))
            props.boat(pen, at, min(height * 0.3, width * 0.5 / number), vary(COLOURS[colour], rng), (116, 70, 44))
    return image, f"{_counted(number, 'sailing boat')} with {colour} sails on the blue sea"


def meadow(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, _DAY)
    _clouds(image, rng, (255, 255, 255), 0.9, height * 0.45)
    colour = pick(rng, ("red", "yellow", "pink", "purple", "white", "orange"))
    with drawing(image) as pen:
        props.land(pen, size, ridge(width, rng, height * 0.46, height * 0.1, 3), (104, 156, 92))
        props.land(pen, size, ridge(width, rng, height * 0.54, height * 0.04, 2), (84, 146, 58))
    with drawing(image) as pen:
        for depth in np.sort(rng.uniform(0, 1, 240)):
            x, y = float(rng.uniform(0, width)), height * (0.58 + 0.42 * float(depth))
            props.flower(pen, (x, y), 2 + 11 * float(depth) ** 1.5, vary(COLOURS[colour], rng))
    return image, f"a meadow full of {colour} flowers under a blue sky"


def rainbow(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, ((92, 112, 140), (150, 168, 186), (206, 216, 220)))
    _clouds(image, rng, (70, 80, 100), 0.7, height * 0.8)
    y, x = np.ogrid[0:height, 0:width]
    reach = np.sqrt((x - width / 2) ** 2 + (y - height * 0.85) ** 2) / (width * 0.46)
    for band, colour in enumerate(("purple", "blue", "turquoise", "green", "yellow", "orange", "red")):
        blend(
            image, COLOURS[colour], (0.65 * np.exp(-(((reach - 0.82 - 0.028 * band) / 0.016) ** 2))).astype(np.float32)
        )
    with drawing(image) as pen:
        props.land(pen, size, ridge(width, rng, height * 0.78, height * 0.08, 3), (92, 142, 66))
        props.land(pen, size, ridge(width, rng, height * 0.88, height * 0.05, 2), (70, 118, 50))
    return image, "a rainbow over green fields after the rain"


def cottage(size: Size, rng: Rng) -> Picture:
    width, height = size
    snow = bool(rng.random() < 0.4)
    image = gradient(size, ((150, 170, 196), (220, 228, 236)) if snow else _DAY)
    ground = (236, 241, 247) if snow else (100, 154, 70)
    wall, roof = pick(rng, ("white", "yellow", "brown", "gray")), pick(rng, ("red", "blue", "black", "green"))
    with drawing(image) as pen:
        props.land(pen, size, ridge(width, rng, height * 0.62, height * 0.12, 3), mix(ground, (90, 110, 130), 0.35))
        props.land(pen, size, ridge(width, rng, height * 0.74, height * 0.04, 2), ground)
        for x in (0.1, 0.24, 0.9):
            props.fir(pen, (width * x, height * 0.8), height * 0.42, vary((40, 92, 58), rng))
    with drawing(image, shadow=4) as pen:
        props.house(
            pen,
            (width * 0.55, height * 0.84),
            min(width * 0.3, height * 0.4),
            vary(COLOURS[wall], rng),
            vary(COLOURS[roof], rng),
        )
    if snow:
        with drawing(image) as pen:
            for x, y in rng.uniform(0, 1, (160, 2)):
                pen.disc((float(x) * width, float(y) * height), float(rng.uniform(1, 3)), (255, 255, 255), 220)
    return image, f"a {wall} house with a {roof} roof {'in the snow' if snow else 'on a green hill'}"


def aquarium(size: Size, rng: Rng) -> Picture:
    width, height = size
    image = gradient(size, ((96, 196, 214), (28, 112, 168), (10, 48, 96)))
    blend(
        image,
        (200, 240, 250),
        0.35 * noise(size, rng, (7, 1), 2) * np.linspace(1, 0, height, dtype=np.float32)[:, None],
    )
    number, colour = int(rng.integers(1, 7)), pick(rng, ("orange", "yellow", "red", "pink", "white"))
    with drawing(image) as pen:
        props.land(pen, size, ridge(width, rng, height * 0.92, height * 0.05, 4), (196, 178, 128))
        for x in rng.uniform(0, width, 9):
            tip = (float(x) + rng.uniform(-20, 20), height * rng.uniform(0.6, 0.8))
            pen.line([(float(x), height), ((float(x) + tip[0]) / 2 + 8, (height + tip[1]) / 2), tip], (34, 120, 84), 7)
        columns = math.ceil(number / 2)
        for place in range(number):
            row, column = divmod(place, columns)
            at = (
                width * (column + rng.uniform(0.4, 0.6)) / columns,
                height * (0.28 + 0.3 * row + rng.uniform(-0.05, 0.05)),
            )
            props.fish(
                pen, at, min(width * 0.3 / columns, height * 0.13), vary(COLOURS[colour], rng), bool(rng.random() < 0.5)
            )
    return image, f"{_counted(number, f'{colour} fish', f'{colour} fish')} under water"


def _counted(number: int, one: str, many: str | None = None) -> str:
    if number == 1:
        return with_article(one)
    return f"{COUNTS[number - 1]} {many or one + 's'}"


def _clouds(image: Image.Image, rng: Rng, colour: RGB, strength: float, down_to: float) -> None:
    """Flat clouds that thin out towards `down_to`."""
    cover = np.clip(noise(image.size, rng, (3, 5), 4) * 2.2 - 1.1, 0, 1)
    fade = np.clip(1 - np.arange(image.height, dtype=np.float32) / down_to, 0, 1)[:, None] ** 0.5
    blend(image, colour, strength * cover * fade)


def _sea(
    image: Image.Image,
    rng: Rng,
    horizon: float,
    colours: tuple[RGB, RGB],
    *,
    glitter: RGB = (236, 246, 250),
    glitter_x: float | None = None,
) -> None:
    width, height = image.size
    depth = height - round(horizon)
    water = gradient((width, depth), colours)
    waves = noise((width, depth), rng, (6, max(4, depth // 7)), 2)
    column = np.ones(width, np.float32) * 0.5
    if glitter_x is not None:
        column = np.exp(-(((np.arange(width, dtype=np.float32) - glitter_x) / (width * 0.12)) ** 2)) + 0.15
    blend(water, mix(colours[1], (0, 0, 0), 0.2), 0.6 * waves)
    blend(water, glitter, np.clip(waves * 3 - 1.7, 0, 1) * column)
    image.paste(water, (0, round(horizon)))
