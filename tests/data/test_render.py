from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from data import shapes
from data.painting import COLOURS
from data.render import CAPTIONS, Painter, RenderedPicture, in_other_words, render, write


@pytest.fixture(scope="module")
def pictures() -> list[RenderedPicture]:
    return list(render(60, seed=0))


def test_the_same_seed_gives_the_same_bytes(pictures: list[RenderedPicture]) -> None:
    again = list(render(12, seed=0))
    assert [picture.encoded() for picture in again] == [picture.encoded() for picture in pictures[:12]]
    assert [picture.name for picture in again] == [picture.name for picture in pictures[:12]]


def test_another_seed_gives_other_pictures(pictures: list[RenderedPicture]) -> None:
    other = list(render(12, seed=1))
    assert all(one.encoded() != two.encoded() for one, two in zip(other, pictures, strict=False))


def test_pictures_are_rgb_of_the_promised_sizes_and_names_are_unique(pictures: list[RenderedPicture]) -> None:
    assert len({picture.name for picture in pictures}) == len(pictures)
    for picture in pictures:
        assert picture.image.mode == "RGB"
        assert 320 <= min(picture.image.size) <= max(picture.image.size) <= 640
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.(jpg|png)", picture.name)


def test_every_kind_is_there_and_a_few_are_png(pictures: list[RenderedPicture]) -> None:
    assert Counter(picture.kind for picture in pictures) == {
        "scene": 24,
        "shapes": 18,
        "sign": 6,
        "pattern": 6,
        "chart": 6,
    }
    assert sum(picture.name.endswith(".png") for picture in pictures) == 2


def test_no_picture_is_empty(pictures: list[RenderedPicture]) -> None:
    for picture in pictures:
        assert np.asarray(picture.image).std() > 5, picture.name


def test_captions_use_the_right_article(pictures: list[RenderedPicture]) -> None:
    for picture in pictures:
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", picture.caption), picture.caption


@pytest.mark.parametrize("painter", [shapes.scattered, shapes.related, shapes.inside, shapes.pattern])
def test_every_colour_in_a_caption_is_in_the_picture(painter: Painter) -> None:
    for seed in range(12):
        image, caption = painter((240, 240), np.random.default_rng(seed))
        pixels = np.asarray(image, np.int32).reshape(-1, 3)
        painted = caption.split(" on a ")[0].split(" on green grass")[0].split(" on grid paper")[0]
        for colour in set(painted.split()) & set(COLOURS):
            near = (np.abs(pixels - COLOURS[colour]).max(1) < 48).mean()
            assert near > 0.002, (caption, colour, near)


def test_a_scattered_picture_has_as_many_shapes_as_it_says() -> None:
    """Counts red blobs by flooding them: two or three red circles on white must be two or three blobs."""
    counted = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        image, caption = shapes.scattered((200, 200), rng)
        match = re.fullmatch(
            r"(an?|two|three|four|five|six) red (\w+?)s? on (a white|a light blue) background", caption
        )
        if match is None or match[2] == "crescent":
            continue
        counted += 1
        pixels = np.asarray(image, np.int32)
        red = np.abs(pixels - COLOURS["red"]).max(2) < 60
        assert _blobs(red) == {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}.get(match[1], 1), caption
    assert counted >= 3


def test_above_and_below_are_where_the_caption_says() -> None:
    checked = 0
    for seed in range(150):
        image, caption = shapes.related((200, 200), np.random.default_rng(seed))
        match = re.match(r"\w+ (\w+) .*? (above|below) \w+ (\w+) .* on a (white|dark) background", caption)
        if match is None or {match[1], match[3]} & {"gray", "white", "black", "blue", "brown", "purple"}:
            continue
        checked += 1
        first, second = (_mean_row(image, colour) for colour in (match[1], match[3]))
        assert (first < second) == (match[2] == "above"), caption
    assert checked >= 2


def test_write_puts_one_caption_line_beside_each_file(tmp_path: Path) -> None:
    assert write(tmp_path / "out", render(5, seed=3)) == 5
    lines = [json.loads(line) for line in (tmp_path / "out" / CAPTIONS).read_text().splitlines()]
    assert [line["caption"] for line in lines] == [picture.caption for picture in render(5, seed=3)]
    for line in lines:
        with Image.open(tmp_path / "out" / line["file"]) as image:
            image.load()
            assert image.format == "JPEG"


def _mean_row(image: Image.Image, colour: str) -> float:
    near = np.abs(np.asarray(image, np.int32) - COLOURS[colour]).max(2) < 40
    return float(np.nonzero(near)[0].mean())


def _blobs(mask: NDArray[np.bool_]) -> int:
    """Connected regions of at least 30 pixels, by flood fill."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    blobs = 0
    while left:
        stack, size = [left.pop()], 0
        while stack:
            y, x = stack.pop()
            size += 1
            for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if near in left:
                    left.remove(near)
                    stack.append(near)
        blobs += size >= 30
    return blobs


def test_captions_in_other_words(tmp_path: Path) -> None:
    words = {"a": "ein", "star": "Stern", "hot-air": "Heißluft"}
    assert in_other_words("a star, a STAR and stars", words) == "ein Stern, ein STAR and stars"
    assert in_other_words("a hot-air balloon", words) == "ein Heißluft balloon"
    german = json.loads((Path(shapes.__file__).parent / "german.json").read_text(encoding="utf-8"))
    write(tmp_path, render(3), german)
    captions = [json.loads(line)["caption"] for line in (tmp_path / CAPTIONS).read_text("utf-8").splitlines()]
    assert captions[0] == "Sonnenuntergang über dem Meer mit ein orange Himmel"
    assert [path.name for path in sorted(tmp_path.glob("*.jpg"))] == [picture.name for picture in render(3)]
