"""A large library to look at: made-up images with dates, cameras and folders, and thumbnails that really are pictures.

Of the images only their small thumbnails exist; a few hundred are drawn, and the others are links to those. Vectors
mean nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from indexer.catalog import Catalog, NewImage
from indexer.looks.look import Look, look_of
from indexer.manifest import Manifest
from indexer.thumbnails import Side, ThumbnailFolder, make_thumbnail

BATCH = 5000
DRAWN = 300
FIRST = datetime(2009, 3, 1)  # noqa: DTZ001 - a camera's clock has no zone
DAYS = 5800
CAMERAS = ("Canon EOS R6", "NIKON Z 6", "Apple iPhone 15", "SONY A7", "FUJIFILM X-T5")
SHAPES = ((3, 2), (2, 3), (4, 3), (1, 1), (16, 9), (3, 4))


@dataclass(frozen=True, slots=True)
class Drawn:
    thumbnail: bytes
    width: int
    height: int
    look: Look


def make_library(library: Path, manifest: Manifest, number: int, drawn: int = DRAWN) -> None:
    """A new collection of so many images, the latest taken indexed last."""
    pictures = [draw(seed) for seed in range(min(drawn, number))]
    folder = ThumbnailFolder(library)
    random = np.random.default_rng(0)
    with Catalog.create(library, manifest) as catalog:
        for start in range(0, number, BATCH):
            rows = [image(i, number, pictures[i % len(pictures)]) for i in range(start, min(start + BATCH, number))]
            vectors = random.standard_normal((len(rows), manifest.dimension)).astype(np.float32)
            catalog.put(rows, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
            for i, row in enumerate(rows, start):
                seed = i % len(pictures)
                path, first = (folder.path(hash_, Side.TILE) for hash_ in (row.content_hash, hash_of(seed)))
                link(path, first, pictures[seed].thumbnail)


def hash_of(number: int) -> str:
    """Its first digits are the last of the number, so that the thumbnails' folders fill evenly."""
    return f"{number:064x}"[::-1]


def image(number: int, total: int, drawn: Drawn) -> NewImage:
    """One of ten has no date."""
    taken = FIRST + timedelta(seconds=number * DAYS * 86_400 // total)
    return NewImage(
        path=f"/photos/{taken:%Y/%m}/IMG_{number:07}.jpg",
        size=2_000_000 + number,
        mtime_ns=number,
        content_hash=hash_of(number),
        width=drawn.width * 10,
        height=drawn.height * 10,
        format="jpeg",
        taken_at=None if number % 10 == 9 else taken,
        camera=CAMERAS[number // 500 % len(CAMERAS)],
        preview=drawn.look.preview,
        colours=drawn.look.colours,
    )


def draw(seed: int) -> Drawn:
    """Something between a landscape and a still life."""
    random = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    width, height = (side * 320 // max(shape) for side in shape)
    sky = Image.fromarray(random.integers(30, 226, (2, 3, 3), np.uint8)).resize((width, height))
    pencil = ImageDraw.Draw(sky)
    for _ in range(6):
        x, y, radius = (int(value) for value in random.integers((0, 0, 12), (width, height, 70)))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    buffer = BytesIO()
    sky.save(buffer, "PNG")
    return Drawn(make_thumbnail(buffer.getvalue(), Side.TILE), width, height, look_of(np.asarray(sky), (width, height)))


def link(path: Path, first: Path, thumbnail: bytes) -> None:
    """A hard link to the first file with that thumbnail, or this file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path == first:
        path.write_bytes(thumbnail)
    else:
        os.link(first, path)
