"""How surely the pictures of a burst are found, among others that the same camera took in the same seconds.

    python benchmarks/bursts.py flickr8k-dev.tar

No photos with true bursts are at hand, so they are made of single ones: four frames a second apart, each a window of
85 to 90 % of the photo that drifts by up to 5 % of its side a frame, turned by up to a degree and exposed up to 6 %
more or less. Nothing in the scene itself moves, as people do. The camera goes on to the next photo two seconds later,
so that pictures of two scenes lie as close together in time as those of one: these are to be left apart.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from itertools import combinations, islice, pairwise
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import typer
from PIL import Image, ImageEnhance

from benchmarks.duplicates import evidence_of
from benchmarks.goals import Line, plain, table, write
from indexer.collection import Collection
from indexer.duplicates.finding import find_duplicates
from indexer.duplicates.kinds import Link
from indexer.duplicates.matching import judged
from indexer.encoder import Encoder, load_encoder
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.training.shards import read_shard

RESULTS = Path(__file__).parent / "results" / "bursts.json"
FRAMES, PAUSE = 4, 2
SOON = timedelta(seconds=5)
START = datetime(2024, 5, 1)  # noqa: DTZ001 - a camera's clock has no zone

Frame = tuple[int, datetime]
"""Which scene, and when."""


def frames(photo: Image.Image, rng: random.Random) -> Iterator[Image.Image]:
    """As a hand holds a camera."""
    side = rng.uniform(0.85, 0.9)
    left, top = rng.uniform(0, 1 - side), rng.uniform(0, 1 - side)
    wide, high = photo.size
    for _ in range(FRAMES):
        left, top = (min(max(0.0, place + rng.uniform(-0.05, 0.05)), 1 - side) for place in (left, top))
        turned = photo.rotate(rng.uniform(-1, 1), Image.Resampling.BICUBIC)
        window = turned.crop(
            (round(left * wide), round(top * high), round((left + side) * wide), round((top + side) * high))
        )
        yield ImageEnhance.Brightness(window).enhance(rng.uniform(0.94, 1.06))


def fill(folder: Path, photos: Iterable[Image.Image], seed: int) -> dict[str, Frame]:
    """Write the files; what each is, by its name."""
    rng, now, made = random.Random(seed), START, dict[str, Frame]()
    folder.mkdir()
    for scene, photo in enumerate(photos):
        for frame in frames(photo, rng):
            block = Image.Exif()
            block[0x110] = "A camera"
            block.get_ifd(0x8769)[0x9003] = f"{now:%Y:%m:%d %H:%M:%S}"
            name = f"{len(made):05}.jpg"
            frame.save(folder / name, quality=85, exif=block)
            made[name] = scene, now
            now += timedelta(seconds=1)
        now += timedelta(seconds=PAUSE - 1)
    return made


def counted(found: Iterable[Link], what: dict[str, Frame]) -> list[Line]:
    """`what` says what each content is."""
    linked = {frozenset((link.first, link.second)) for link in found if link.kind == "burst"}
    pairs = [pair for pair in combinations(what, 2) if abs(what[pair[0]][1] - what[pair[1]][1]) <= SOON]
    of_one = [pair for pair in pairs if what[pair[0]][0] == what[pair[1]][0]]
    of_two = [pair for pair in pairs if what[pair[0]][0] != what[pair[1]][0]]
    right, wrong = (sum(frozenset(pair) in linked for pair in some) for some in (of_one, of_two))
    in_order = sorted(what, key=lambda content: what[content][1])
    next_ones = [pair for pair in pairwise(in_order) if what[pair[0]][0] == what[pair[1]][0]]
    return [
        plain("pairs of one burst", float(len(of_one))),
        plain("of these linked as a burst: recall, %", 100 * right / max(1, len(of_one))),
        plain(
            "frames and their next ones linked, %",
            100 * sum(frozenset(pair) in linked for pair in next_ones) / max(1, len(next_ones)),
        ),
        plain("pairs of two scenes within five seconds", float(len(of_two))),
        plain("of these linked as a burst, %", 100 * wrong / max(1, len(of_two))),
        plain("precision, %", 100 * right / max(1, right + wrong)),
        plain("burst links between pictures further apart in time", float(len(linked) - right - wrong)),
    ]


def measure(shard: Path, encoder: Encoder, scenes: int, seed: int) -> list[Line]:
    photos = (Image.open(BytesIO(example.jpeg)).convert("RGB") for example in islice(read_shard(shard), scenes))
    with tempfile.TemporaryDirectory() as place:
        made = fill(Path(place) / "photos", photos, seed)
        with Collection.open_or_create(Path(place) / "library", encoder.manifest) as collection:
            sync(collection, encoder, FolderSource(Path(place) / "photos"))
            find_duplicates(collection, lambda done, total, doing: None)
            files = list(collection.catalog.files_under("/"))
            what = {state.content_hash: made[Path(state.path).name] for state in files}
            return counted(judged(*evidence_of(collection)), what)


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos.")],
    model: Annotated[str, typer.Option(help="Whose embeddings are compared.")] = "mini",
    scenes: Annotated[int, typer.Option(help="Photos of the shard, from its first.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the frames.")] = 0,
    output: Annotated[Path, typer.Option(help="File for the results.")] = RESULTS,
) -> None:
    lines = measure(shard, load_encoder(model), scenes, seed)
    print(table(lines))
    write(lines, output, f"python benchmarks/bursts.py {shard.name} --model {model} --scenes {scenes}")


if __name__ == "__main__":
    typer.run(main)
