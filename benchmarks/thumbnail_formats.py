"""What a thumbnail costs as JPEG, WebP and AVIF: bytes, encoding, decoding, and likeness to what was encoded.

    python benchmarks/thumbnail_formats.py flickr8k-train.tar

Photos of a shard, which are smaller than a thumbnail, are enlarged to two megapixels with a camera's grain and scaled
down to the side that is asked for. Ways take turns on each photo; figures are medians, times those of one thread.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from PIL import Image

from benchmarks.photos import enlarged, files
from indexer.geometry import thumbnail_size

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"JPEG {quality}": ("JPEG", {"quality": quality}) for quality in (60, 70, 82)},
    "WebP 82, method 0": ("WEBP", {"quality": 82, "method": 0}),
    "WebP 82, method 4": ("WEBP", {"quality": 82, "method": 4}),
    "AVIF 60, speed 10": ("AVIF", {"quality": 60, "speed": 10, "max_threads": 1}),
}


def cost(picture: Image.Image, format: str, options: dict[str, Any]) -> tuple[float, ...]:
    """Kilobytes, milliseconds to encode and to decode, SSIM of the brightness."""
    from skimage.metrics import structural_similarity

    buffer, started = io.BytesIO(), time.thread_time()
    picture.save(buffer, format, **options)
    encoded = time.thread_time()
    again = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    decoded = time.thread_time()
    grey = [np.asarray(one.convert("L")) for one in (picture, again)]
    likeness = float(structural_similarity(*grey))
    return buffer.tell() / 1e3, 1e3 * (encoded - started), 1e3 * (decoded - encoded), likeness


def measure(shard: Path, side: int, photos: int) -> dict[str, np.ndarray]:
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in WAYS}
    for seed, jpeg in enumerate(files(shard, None, photos)):
        large = enlarged(jpeg, 2.0, seed)
        picture = large.resize(thumbnail_size(large.size, side), Image.Resampling.LANCZOS)
        for name, way in WAYS.items():
            rows[name].append(cost(picture, *way))
    return {name: np.median(found, axis=0) for name, found in rows.items()}


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos.")],
    photos: Annotated[int, typer.Option(help="Photos of each side.")] = 100,
) -> None:
    for side, count in ((320, photos), (1280, max(1, photos // 8))):
        print(f"| {side} px, {count} photos | kB | encoding, ms | decoding, ms | SSIM |\n|---|---|---|---|---|")
        for name, (size, encoding, decoding, likeness) in measure(shard, side, count).items():
            print(f"| {name} | {size:.1f} | {encoding:.1f} | {decoding:.1f} | {likeness:.3f} |")


if __name__ == "__main__":
    typer.run(main)
