"""Labelled pictures, painted from a seed: the same seed gives the same bytes.

    python -m data.render OUT --count 300 --seed 0

writes the pictures and `captions.jsonl`, one `{"file": ..., "caption": ..., "kind": ...}` a line. With `--words FILE`
the captions say it in other words, those of a JSON object such as `data/german.json`: for trying what training does.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from data import graphics, scenes, shapes
from data.painting import Picture, Rng, Size, grain

CAPTIONS = "captions.jsonl"

Painter = Callable[[Size, Rng], Picture]

_SHAPES: tuple[Painter, ...] = (shapes.scattered, shapes.scattered, shapes.related, shapes.related, shapes.inside)
_SCENES: tuple[Painter, ...] = (
    scenes.sunset,
    scenes.starry_night,
    scenes.mountains,
    scenes.forest,
    scenes.desert,
    scenes.city,
    scenes.balloons,
    scenes.sailing,
    scenes.meadow,
    scenes.rainbow,
    scenes.cottage,
    scenes.aquarium,
)
_SIGNS: tuple[Painter, ...] = (graphics.road_sign, graphics.neon_sign, graphics.clock)
_CHARTS: tuple[Painter, ...] = (graphics.bar_chart, graphics.line_chart, graphics.pie_chart, graphics.scatter_chart)
_KINDS: dict[str, tuple[Painter, ...]] = {
    "scene": _SCENES,
    "shapes": _SHAPES,
    "sign": _SIGNS,
    "pattern": (shapes.pattern,),
    "chart": _CHARTS,
}
# One round of ten pictures: half are scenes, so that a grid of them reads as photos rather than as test cards.
_ROUND = ("scene", "shapes", "scene", "sign", "shapes", "scene", "pattern", "scene", "shapes", "chart")
_SIZES: tuple[Size, ...] = (
    (640, 480),
    (480, 640),
    (640, 427),
    (512, 512),
    (640, 360),
    (400, 560),
    (560, 420),
    (480, 360),
    (320, 480),
)
_PNG_EVERY = 25


@dataclass(frozen=True, slots=True)
class RenderedPicture:
    """`name` ends in its format; `image` is RGB; `kind` is scene, shapes, sign, pattern or chart."""

    name: str
    caption: str
    image: Image.Image
    kind: str

    def encoded(self) -> bytes:
        """The file's bytes: JPEG of quality 90, or PNG."""
        buffer = io.BytesIO()
        if self.name.endswith(".png"):
            self.image.save(buffer, "PNG", compress_level=3)
        else:
            self.image.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()


def render(count: int, seed: int = 0) -> Iterator[RenderedPicture]:
    """Picture `i` depends on the seed and `i` alone: fewer pictures are the first of more."""
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        kind = _ROUND[index % len(_ROUND)]
        painters = _KINDS[kind]
        turn = (index // len(_ROUND)) * _ROUND.count(kind) + _ROUND[: index % len(_ROUND)].count(kind)
        size = _SIZES[int(rng.integers(len(_SIZES)))]
        image, caption = painters[turn % len(painters)](size, rng)
        suffix = "png" if index % _PNG_EVERY == _PNG_EVERY - 1 else "jpg"
        if kind not in ("chart", "pattern"):
            image = grain(image, rng)
        yield RenderedPicture(f"{index:04d}-{_slug(caption)}.{suffix}", caption, image, kind)


def write(out: Path, pictures: Iterator[RenderedPicture], words: Mapping[str, str] | None = None) -> int:
    """Writes each picture as it comes and the captions last, in other `words` where there are some; says how many."""
    out.mkdir(parents=True, exist_ok=True)
    lines = []
    for picture in pictures:
        (out / picture.name).write_bytes(picture.encoded())
        caption = in_other_words(picture.caption, words or {})
        lines.append(json.dumps({"file": picture.name, "caption": caption, "kind": picture.kind}) + "\n")
    (out / CAPTIONS).write_text("".join(lines), encoding="utf-8")
    return len(lines)


def in_other_words(caption: str, words: Mapping[str, str]) -> str:
    """Word by word; one that is not among them stays."""
    return re.sub(r"[\w'-]+", lambda found: words.get(found[0], found[0]), caption)


def _slug(caption: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", caption.lower()).strip("-")
    return words[:48].rstrip("-")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.render", description="Paint labelled pictures from a seed.")
    parser.add_argument("out", type=Path, help="the folder to write to; made if it is not there")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--words", type=Path, metavar="FILE", help="JSON that says what captions call each word instead"
    )
    options = parser.parse_args()
    words = json.loads(options.words.read_text(encoding="utf-8")) if options.words else None
    written = write(options.out, render(options.count, options.seed), words)
    print(f"{written} pictures and {CAPTIONS} in {options.out}")


if __name__ == "__main__":
    main()
