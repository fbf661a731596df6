"""The full-text index of a catalog: what it costs to write, how large it is, and how long a search in it takes.

    python benchmarks/words.py

The rows are made up: every image has a name and folders, every second one a caption of ten words out of 20,000, which
are as frequent as words are (Zipf). Written with and without the index in turns, in batches of 256. *Words alone* is
the route by words without encoding, vectors or fusion. All times are the processor's, each the median of the rounds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated
from unittest import mock

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.catalog_filters import MANIFEST, images
from benchmarks.goals import Line, plain, table, write
from indexer.catalog import Catalog
from indexer.texts import Description, ImageText
from indexer.words import table as index
from search.filter_sql import clause
from search.filters import Phrase
from search.words.finding import find

BATCH, VOCABULARY, WORDS = 256, 20_000, 10
QUESTIONS = {
    "a word of 1 image in 5,300": ("w800",),
    "a word of 1 in 38": ("w20",),
    "a word of 1 in 9": ("w6",),
    "two words of 1 in 21 and 23": ("w12", "w13"),
    "ten words": tuple(f"w{5 * number + 20}" for number in range(10)),
    "a number in a name": ("0000123",),
    "words of no image": ("zebra", "lake"),
}
RESULTS = Path(__file__).parent / "results" / "words.json"


def descriptions(start: int, number: int) -> list[Description]:
    random = np.random.default_rng(start)
    chosen = np.minimum(random.zipf(1.3, (number, WORDS)), VOCABULARY)
    return [
        Description((ImageText("caption", " ".join(f"w{word}" for word in words)),) if row % 2 else ())
        for row, words in enumerate(chosen.tolist(), start)
    ]


def written(catalog: Catalog, start: int, number: int, *, with_words: bool) -> float:
    """Processor seconds."""
    rows, said = images(start, number), descriptions(start, number)
    vectors = np.zeros((number, MANIFEST.dimension), np.float16)
    vectors[:, 0] = 1
    started = time.process_time()
    with nullcontext() if with_words else mock.patch.object(index, "refresh"):
        catalog.put(rows, vectors, said)
    return time.process_time() - started


def size(catalog: Catalog) -> int:
    """Bytes of the catalog's file, with all that is in its log."""
    with catalog._writer.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    return (catalog.library / "catalog.db").stat().st_size


def cost(folder: Path, rows: int) -> list[Line]:
    with Catalog.create(folder / "with", MANIFEST) as one, Catalog.create(folder / "without", MANIFEST) as other:
        ratios, seconds = [], []
        for start in range(0, rows, BATCH):
            both = [written(one, start, BATCH, with_words=True), written(other, start, BATCH, with_words=False)]
            ratios.append(both[0] / both[1])
            seconds.append(both[0] - both[1])
        return [
            plain(f"{rows:,} rows: writing one, times as long as without", float(np.median(ratios))),
            plain(f"{rows:,} rows: microseconds of the processor a row", 1e6 * float(np.mean(seconds)) / BATCH),
            plain(f"{rows:,} rows: bytes a row", (size(one) - size(other)) / rows),
            plain(f"{rows:,} rows: bytes a row of the catalog without it", size(other) / rows),
            plain(f"{rows:,} rows: indexing those of an older catalog, s", refilled(one)),
        ]


def refilled(catalog: Catalog) -> float:
    """Seconds of the processor for a new index of what is there."""
    with catalog._writing() as connection:
        connection.exec_driver_sql(f"DROP TABLE {index.NAME}")
        connection.exec_driver_sql(index.CREATE)
        started = time.process_time()
        index.fill(connection)
        return time.process_time() - started


def milliseconds(run: Callable[[], object], rounds: int) -> float:
    """Of the processor."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        taken.append(1000 * (time.process_time() - started))
    return float(np.median(taken))


def filled(folder: Path, rows: int) -> Catalog:
    catalog = Catalog.create(folder, MANIFEST)
    for start in range(0, rows, 10_000):
        written(catalog, start, min(10_000, rows - start), with_words=True)
    return catalog


def asked(catalog: Catalog, rounds: int) -> list[Line]:
    rows, lines = catalog.count(), []
    for name, words in QUESTIONS.items():
        ms = milliseconds(lambda words=words: find(catalog.words, rows, [" ".join(words)], ()), rounds)  # type: ignore[misc]
        lines.append(plain(f"{rows:,} rows, {name}: words alone, ms", ms))
    phrase = clause(Phrase("w12 w13"))
    ms = milliseconds(lambda: catalog.ids_where(phrase), rounds)
    return [*lines, plain(f"{rows:,} rows, a phrase as a filter, ms", ms)]


def main(
    rows: Annotated[int, typer.Option(help="Images of which the cost is measured.")] = 100_000,
    many: Annotated[int, typer.Option(help="Images of the larger catalog that is asked.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="Turns of each question.")] = 7,
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as scratch:
        lines += cost(Path(scratch), rows)
        with Catalog.open(Path(scratch) / "with") as catalog:
            lines += asked(catalog, rounds)
        with filled(Path(scratch) / "many", many) as catalog:
            lines += asked(catalog, rounds)
    print(table(lines))
    write(lines, output, f"python benchmarks/words.py --rows {rows} --many {many} --rounds {rounds}")


if __name__ == "__main__":
    typer.run(main)
