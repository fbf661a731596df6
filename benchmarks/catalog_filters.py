"""Filters over a catalog of a million images: the ids that pass, their order, facets; asked first, and asked again.

    python benchmarks/catalog_filters.py

The rows are made up: twelve cameras, eight formats, sizes of cameras and screens, dates over twenty years, a tenth
without one. Vectors have few dimensions, since nothing here looks at them. Each figure is the median of the rounds;
*asked first* has a new cache each time, but what the operating system has read before is in memory.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.catalog import MANIFEST as WIDER
from benchmarks.goals import Line, at_most, plain, table, write
from indexer.catalog import Catalog, NewImage
from indexer.looks.colours import COLOURS, LEVELS, place_of
from search.filter_sql import clause
from search.filters import FORMATS, And, Camera, Filter, Folder, Format, Not, Or, Orientation, PathPart, Range, Taken
from search.selections import Selections

DIMENSION, BATCH, PREVIEW = 8, 10_000, 114
MANIFEST = replace(WIDER, dimension=DIMENSION)
START = datetime(2005, 1, 1)  # noqa: DTZ001 - a camera's clock has no zone
DAYS = 7300
SIZES = ((4032, 3024), (3024, 4032), (1920, 1080), (6000, 4000), (1000, 1000))
CAMERAS = ("Canon EOS 5D", "Canon EOS R6", "NIKON D90", "NIKON Z 6", "Apple iPhone 12", "Apple iPhone 15", "SONY A7")
RESULTS = Path(__file__).parent / "results" / "catalog_filters.json"

FILTERS: dict[str, Filter] = {
    "1 %: ten weeks": Taken(START + timedelta(days=3000), START + timedelta(days=3081)),
    "1 %: a folder": Folder("/photos/07"),
    "14 %: a camera": Camera("nikon d90"),
    "0.1 %: a word of the path": PathPart("IMG_0000"),
    "50 %: one format": Format(("jpeg",)),
    "45 %: half of the dates": Taken(start=START + timedelta(days=DAYS // 2)),
    "several with AND, OR, NOT": And(
        (
            Or((Camera("canon"), Camera("apple"))),
            Not(Format(("png", "gif"))),
            Orientation("landscape"),
            Range("megapixels", 8, None),
        )
    ),
}
FIRST_MS, AGAIN_MS = 1000.0, 5.0


def images(start: int, number: int) -> list[NewImage]:
    random = np.random.default_rng(start)
    formats = random.choice(np.array(["jpeg", *FORMATS[1:]]), number, p=[0.5, *[0.5 / 7] * 7])
    days, sizes, cameras = (random.integers(0, most, number) for most in (DAYS, len(SIZES), len(CAMERAS)))
    dated = random.random(number) < 0.9
    # Of a photo's share of each colour most is next to nothing; the sum does not matter here.
    levels = (LEVELS * random.beta(0.25, 2.5, (number, len(COLOURS)))).astype(np.int64)
    colours = (levels << np.array([place_of(colour) for colour in COLOURS])).sum(axis=1)
    return [
        NewImage(
            path=f"/photos/{i % 100:02}/{i // 1000:04}/IMG_{i:07}.{formats[row]}",
            size=100_000 + i,
            mtime_ns=i,
            content_hash=f"{i:064x}",
            width=SIZES[sizes[row]][0],
            height=SIZES[sizes[row]][1],
            format=str(formats[row]),
            taken_at=START + timedelta(days=int(days[row]), seconds=i % 86_400) if dated[row] else None,
            camera=CAMERAS[cameras[row]] if dated[row] else None,
            preview=bytes(PREVIEW),
            colours=int(colours[row]),
        )
        for row, i in enumerate(range(start, start + number))
    ]


def filled(folder: Path, number: int) -> Catalog:
    catalog = Catalog.create(folder / "library", MANIFEST)
    vectors = np.zeros((BATCH, DIMENSION), np.float16)
    vectors[:, 0] = 1
    for start in range(0, number, BATCH):
        rows = images(start, min(BATCH, number - start))
        catalog.put(rows, vectors[: len(rows)])
    return catalog


def milliseconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - started)


def asked(catalog: Catalog, filter: Filter) -> list[float]:
    """Milliseconds of the ids, the ids again, the facets, and the newest first."""
    selections = Selections(catalog)
    runs = (
        lambda: selections.ids(filter),
        lambda: selections.ids(filter),
        lambda: selections.facets(filter),
        lambda: selections.listed(filter, "newest"),
    )
    return [milliseconds(run) for run in runs]


def measure(catalog: Catalog, rounds: int) -> list[Line]:
    lines = []
    for name, filter in FILTERS.items():
        first, again, facets, newest = np.median([asked(catalog, filter) for _ in range(rounds)], axis=0)
        lines += [
            plain(f"{name}: images that pass", len(catalog.ids_where(clause(filter)))),
            at_most(f"{name}: ids, asked first, ms", first, FIRST_MS),
            at_most(f"{name}: ids, asked again, ms", again, AGAIN_MS),
            plain(f"{name}: facets, asked first, ms", facets),
            plain(f"{name}: sorted by date, asked first, ms", newest),
        ]
    return lines


def main(
    rows: Annotated[int, typer.Option(help="Images in the catalog.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="Turns of each.")] = 3,
    library: Annotated[Path | None, typer.Option(help="A folder to keep the catalog in, or to find it.")] = None,
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = library or Path(scratch)
        there = (folder / "library").exists()
        with Catalog.open(folder / "library") if there else filled(folder, rows) as catalog:
            lines = measure(catalog, rounds)
    print(table(lines))
    write(lines, output, f"python benchmarks/catalog_filters.py --rows {rows} --rounds {rounds}")


if __name__ == "__main__":
    typer.run(main)
