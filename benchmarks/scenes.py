"""How well the histogram distance of videos tells another scene from the same one.

Photos stand for scenes: two different ones are a cut; a photo and a part of it, moved, enlarged or in another light,
are the same scene a moment later.

    python benchmarks/scenes.py flickr8k-dev.tar
"""

from __future__ import annotations

import io
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from PIL import Image, ImageEnhance

from benchmarks.goals import Line, plain, table
from indexer.sources import SourceFile
from indexer.sources.tar import tar_source
from indexer.sources.video import SCENE_CHANGE, Histogram, difference, histogram

SIDE = 256
_SMALL = (64, 36)


def seen(picture: Image.Image) -> Histogram:
    return histogram(np.asarray(picture.resize(_SMALL)))


def part(picture: Image.Image, left: int, top: int, side: int) -> Histogram:
    return seen(picture.crop((left, top, left + side, top + side)))


def distances(pictures: list[Image.Image]) -> dict[str, list[float]]:
    return {
        "a cut": [difference(seen(one), seen(other)) for one, other in pairwise(pictures)],
        "a pan by a sixth": [difference(part(one, 0, 0, 216), part(one, 40, 20, 216)) for one in pictures],
        "a zoom to three quarters": [difference(seen(one), part(one, 30, 30, 196)) for one in pictures],
        "15 % more light": [
            difference(seen(one), seen(ImageEnhance.Brightness(one).enhance(1.15))) for one in pictures
        ],
    }


def main(
    shard: Annotated[Path, typer.Argument(help="A tar of photos.")],
    photos: Annotated[int, typer.Option(help="How many stand for scenes.")] = 400,
) -> None:
    source = tar_source([str(shard)])
    paths = [found.path for found in source.walk() if isinstance(found, SourceFile)][:photos]
    pictures = [Image.open(io.BytesIO(source.read(path))).convert("RGB").resize((SIDE, SIDE)) for path in paths]
    lines: list[Line] = []
    for name, found in distances(pictures).items():
        lines.append(plain(f"{name}: distance, median", float(np.median(found))))
        lines.append(
            plain(f"{name}: taken for another scene, %", 100 * float(np.mean(np.array(found) >= SCENE_CHANGE)))
        )
    print(table(lines))


if __name__ == "__main__":
    typer.run(main)
