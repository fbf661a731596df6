"""A large library to look at: made-up images with dates, cameras and folders, and thumbnails that really are pictures.

Of the images only their thumbnails exist; a few hundred are drawn, and the others are links to those. Vectors mean
nothing: neighbours are drawn from the same few hundred, so that results are not alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from indexer.catalog import Catalog, NewImage
from indexer.manifest import Manifest
from indexer.thumbnails import Side, ThumbnailFolder, make_thumbnail

BATCH = 5000
DRAWN = 300
FIRST = datetime(2009, 3, 1)  # noqa: DTZ001 - a camera's clock has no zone
DAYS = 5800
CAMERAS = ("Canon EOS R6", "NIKON Z 6", "Apple iPhone 15", "SONY A7", "FUJIFILM X-T5")
SHAPES = ((3, 2), (2, 3), (4, 3), (1, 1), (16, 9), (3, 4))


def make_library(library: Path, manifest: Manifest, number: int, drawn: int = DRAWN) -> None:
    """A new collection of so many images, the newest of them indexed last."""
    pictures = [thumbnail(seed) for seed in range(min(drawn, number))]
    folder = ThumbnailFolder(library)
    random = np.random.default_rng(0)
    with Catalog.create(library, manifest) as catalog:
        for start in range(0, number, BATCH):
            rows = images(range(start, min(start + BATCH, number)), number, len(pictures))
            vectors = random.standard_normal((len(rows), manifest.dimension)).astype(np.float32)
            catalog.put(rows, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16))
            link_thumbnails(folder, rows, pictures)


def images(numbers: Sequence[int], total: int, drawn: int) -> list[NewImage]:
    return [image(number, total, drawn) for number in numbers]


def image(number: int, total: int, drawn: int) -> NewImage:
    """One of ten has no date. The numbers of its hash say which thumbnail it shows."""
    taken = FIRST + timedelta(seconds=number * DAYS * 86_400 // total)
    wide, high = SHAPES[(number % drawn) % len(SHAPES)]
    return NewImage(
        path=f"/photos/{taken:%Y/%m}/IMG_{number:07}.jpg",
        size=2_000_000 + number,
        mtime_ns=number,
        content_hash=f"{number:064x}"[::-1],
        width=wide * 1000,
        height=high * 1000,
        format="jpeg",
        taken_at=None if number % 10 == 9 else taken,
        camera=CAMERAS[number // 500 % len(CAMERAS)],
    )


def thumbnail(seed: int) -> bytes:
    """Of something between a landscape and a still life."""
    random = np.random.default_rng(seed)
    wide, high = (side * 320 // max(SHAPES[seed % len(SHAPES)]) for side in SHAPES[seed % len(SHAPES)])
    corners = Image.fromarray(random.integers(30, 226, (2, 3, 3), np.uint8))
    picture = corners.resize((wide, high), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y, radius = (int(value) for value in random.integers((0, 0, 12), (wide, high, 70)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(random.integers(0, 256, 3).tolist()))
    return make_thumbnail(_as_png(picture), Side.TILE)


def link_thumbnails(folder: ThumbnailFolder, rows: Sequence[NewImage], pictures: Sequence[bytes]) -> None:
    """A file for each of the pictures, the first time; a hard link to it after that."""
    for row, content in zip(rows, _repeated(pictures, int(rows[0].content_hash[::-1], 16)), strict=False):
        path = folder.path(row.content_hash, Side.TILE)
        path.parent.mkdir(parents=True, exist_ok=True)
        first = folder.path(f"{content:064x}"[::-1], Side.TILE)
        if first.exists():
            os.link(first, path)
        else:
            path.write_bytes(pictures[content])


def _repeated(pictures: Sequence[bytes], start: int) -> Iterator[int]:
    while True:
        yield start % len(pictures)
        start += 1


def _as_png(picture: Image.Image) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
