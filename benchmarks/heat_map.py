"""Whether a heat map points at what was asked for: in pictures made of tiles of labelled photos, one tile a query.

    python benchmarks/heat_map.py imagenet-sample.tar clothing-cc0.tar

A shard is a tar of `NNNNNN.jpg` beside `NNNNNN.json` with a text `label`. Tiles of one picture have different labels;
the query is the label of one of them. A hit: the most relevant place lies in its tile. Share: how much of the relevance
above the mean lies there. IoU: of the tile and as many most relevant pixels. The same seed gives the same pictures.
"""

from __future__ import annotations

import io
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.goals import Line, at_least, plain, table, write
from indexer.encoder import Encoder, load_encoder
from indexer.training.shards import Example, read_shard
from search.heat_map import HeatMap, HeatMaps, Method
from search.heat_picture import relevance_at

RESULTS = Path(__file__).parent / "results" / "heat_map.json"
SIDE = 224
_GOAL = {2: 70.0, 3: 50.0}
"""Percent of hits: of four tiles chance has 25, of nine 11."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture of `across` x `across` tiles, the label of one of them, and a label that is in none."""

    picture: bytes
    across: int
    tile: int
    label: str
    absent: str


@dataclass(frozen=True, slots=True)
class Score:
    hit: bool
    share: float
    iou: float


def main(
    shards: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Tars of photos with labels.")],
    model: Annotated[str, typer.Option(help="The model to measure.")] = "mini",
    scenes: Annotated[int, typer.Option(help="Pictures a shard and a number of tiles.")] = 200,
    covered: Annotated[int, typer.Option(help="Of them also explained by occlusion, which takes 65 encodings.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the pictures.")] = 0,
    output: Annotated[Path, typer.Option(help="File for the results.", show_default="results/heat_map.json")] = RESULTS,
) -> None:
    encoder = load_encoder(model, precision="float32")
    lines = cost(shards[0], encoder)
    lines += [line for shard in shards for line in measure(shard, encoder, scenes, covered, seed)]
    print(table(lines))
    names = " ".join(shard.name for shard in shards)
    write(lines, output, f"python benchmarks/heat_map.py {names} --scenes {scenes} --covered {covered} --seed {seed}")


def measure(shard: Path, encoder: Encoder, scenes: int, covered: int, seed: int) -> list[Line]:
    examples = [example for example in read_shard(shard) if example.label]
    maps, lines = HeatMaps(encoder, encoder.manifest), []
    labels = len({example.label for example in examples})
    for across in _GOAL:
        if across**2 >= labels:  # every tile has a label of its own, and one label is in none
            continue
        rng = random.Random(seed)
        drawn = [scene(examples, across, rng) for _ in range(scenes)]
        lines += _measured(f"{shard.name}, {across} x {across} tiles", drawn, maps, encoder, covered)
    return lines


def _measured(about: str, scenes: Sequence[Scene], maps: HeatMaps, encoder: Encoder, covered: int) -> Iterator[Line]:
    across, chance = scenes[0].across, 1 / scenes[0].across ** 2
    present = encoder.encode_texts([each.label for each in scenes])
    absent = encoder.encode_texts([each.absent for each in scenes])  # half of them are enough
    grid = _made(maps, scenes, present, "grid")
    yield from _lines(about, "grid", grid, scenes, _GOAL[across])
    others = _made(maps, scenes[: len(scenes) // 2], absent, "grid")
    for name, each in (("its label", grid), ("a label that is not there", others)):
        yield plain(f"{about}, grid, {name}: median contrast", float(np.median([m.contrast for m in each])))
        yield plain(f"{about}, grid, {name}: flat, %", 100 * float(np.mean([m.flat for m in each])))
    some = scenes[:covered]
    occlusion = _made(maps, some, present, "occlusion")
    yield from _lines(about, f"occlusion, first {covered}", occlusion, some)
    yield from _lines(about, f"grid, first {covered}", grid[:covered], some)
    agreement = [_correlation(a, b) for a, b in zip(grid, occlusion, strict=False)]
    yield plain(f"{about}: median correlation of grid and occlusion", float(np.median(agreement)))
    yield plain(f"{about}, chance: hits, %", 100 * chance)
    yield plain(f"{about}, chance: share", chance)
    yield plain(f"{about}, chance: IoU", chance / (2 - chance))


def _made(maps: HeatMaps, scenes: Sequence[Scene], queries: NDArray[np.float32], method: Method) -> list[HeatMap]:
    return [maps.of(each.picture, query, method) for each, query in zip(scenes, queries, strict=False)]


def cost(shard: Path, encoder: Encoder, pictures: int = 24) -> list[Line]:
    """Processor time of this process, which other programs do not lengthen: of a map, and of encoding a picture."""
    photos = [example.jpeg for example in read_shard(shard)][:pictures]
    maps, [query] = HeatMaps(encoder, encoder.manifest), encoder.encode_texts(["a dog"])
    maps.of(photos[0], query)  # loads the tower
    encoding, mapping = [], []
    for photo in photos:
        started = time.process_time()
        encoder.encode_images(encoder.manifest.decode(photo).pixels[None])
        encoding.append(time.process_time() - started)
        started = time.process_time()
        maps.of(photo, query)
        mapping.append(time.process_time() - started)
    about = f"{shard.name}, {len(photos)} photos, medians"
    return [
        plain(f"{about}: processor ms to decode and encode one", 1000 * float(np.median(encoding))),
        plain(f"{about}: processor ms to decode and map one", 1000 * float(np.median(mapping))),
        plain(f"{about}: times as much for a map", float(np.median(np.divide(mapping, encoding)))),
    ]


def _lines(
    about: str, how: str, maps: Sequence[HeatMap], scenes: Sequence[Scene], goal: float | None = None
) -> Iterator[Line]:
    scores = [score(relevance_at(each, (SIDE, SIDE)), one) for each, one in zip(maps, scenes, strict=True)]
    hits = 100 * float(np.mean([each.hit for each in scores]))
    name = f"{about}, {how}: hits, %"
    yield plain(name, hits) if goal is None else at_least(name, hits, goal)
    yield plain(f"{about}, {how}: share", float(np.mean([each.share for each in scores])))
    yield plain(f"{about}, {how}: IoU", float(np.mean([each.iou for each in scores])))


def scene(examples: Sequence[Example], across: int, rng: random.Random) -> Scene:
    """Photos cropped to squares, each with a label of its own."""
    chosen: dict[str, Example] = {}
    while len(chosen) < across**2 + 1:
        example = rng.choice(examples)
        chosen.setdefault(str(example.label), example)
    (absent, _), *tiles = chosen.items()
    picture, edges = Image.new("RGB", (SIDE, SIDE)), _edges(across)
    for number, (_, example) in enumerate(tiles):
        row, column = divmod(number, across)
        size = edges[column + 1] - edges[column], edges[row + 1] - edges[row]
        photo = Image.open(io.BytesIO(example.jpeg)).convert("RGB")
        picture.paste(ImageOps.fit(photo, size, Image.Resampling.BICUBIC), (edges[column], edges[row]))
    tile = rng.randrange(across**2)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return Scene(buffer.getvalue(), across, tile, tiles[tile][0], absent)


def score(relevance: NDArray[np.float32], asked: Scene) -> Score:
    """Of a map in pixels, `(SIDE, SIDE)`."""
    edges, (row, column) = _edges(asked.across), divmod(asked.tile, asked.across)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = True
    above = np.clip(relevance - relevance.mean(), 0, None)
    most = relevance >= np.partition(relevance.ravel(), -int(inside.sum()))[-int(inside.sum())]
    return Score(
        hit=bool(inside.ravel()[int(relevance.argmax())]),
        share=float(above[inside].sum() / max(float(above.sum()), 1e-9)),
        iou=float((most & inside).sum() / (most | inside).sum()),
    )


def _edges(across: int) -> list[int]:
    return [round(SIDE * place / across) for place in range(across + 1)]


def _correlation(one: HeatMap, other: HeatMap) -> float:
    pair = [relevance_at(each, (SIDE, SIDE)).ravel() for each in (one, other)]
    return float(np.corrcoef(*pair)[0, 1])


if __name__ == "__main__":
    typer.run(main)
