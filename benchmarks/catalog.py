"""Writing the catalog: batches in one transaction each, beside one commit a row.

    python benchmarks/catalog.py

Rows with vectors of 512 dimensions go into new files on the same disk, by turns; ratios are medians over the rounds.
*Naive* is Python's sqlite3 as it comes, two INSERTs and a commit a row; *tuned* the same with a write-ahead log and
`synchronous = NORMAL`, as our catalog has.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.goals import Line, at_least, plain, publish
from indexer.catalog import Catalog, NewImage
from indexer.images import Preprocessing
from indexer.manifest import Manifest

DIMENSION, GOAL = 512, 10.0
MANIFEST = Manifest(
    model="none",
    weights_hash="0" * 64,
    dimension=DIMENSION,
    preprocessing=Preprocessing(224, 224, "shortest", "bicubic", (0.5,) * 3, (0.5,) * 3),
    tokenizer="none",
    precision="float32",
)


def images(number: int, first: int = 0) -> list[NewImage]:
    return [
        NewImage(
            path=f"/photos/{i:08}.jpg",
            size=100_000 + i,
            mtime_ns=1_700_000_000_000_000_000 + i,
            content_hash=f"{i:064x}",
            width=640,
            height=480,
            format="jpeg",
            taken_at=None,
            camera=None,
        )
        for i in range(first, first + number)
    ]


def unit_vectors(number: int) -> np.ndarray:
    rows = np.random.default_rng(0).standard_normal((number, DIMENSION), dtype=np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def ours(folder: Path, rows: list[NewImage], vectors: np.ndarray, batch: int) -> float:
    """Rows a second; the first batch, for which SQLAlchemy compiles its statements, does not count."""
    with Catalog.create(folder / "library", MANIFEST) as catalog:
        catalog.put(rows[:batch], vectors[:batch])
        started = time.perf_counter()
        for start in range(batch, len(rows), batch):
            catalog.put(rows[start : start + batch], vectors[start : start + batch])
        seconds = time.perf_counter() - started
        assert catalog.count() == len(rows)
    return (len(rows) - batch) / seconds


def one_commit_a_row(folder: Path, rows: list[NewImage], vectors: np.ndarray, tuned: bool) -> float:
    """Rows a second, with the same columns."""
    database = sqlite3.connect(folder / "naive.db")
    if tuned:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
    names = list(NewImage.__dataclass_fields__)
    database.execute(f"CREATE TABLE image (id INTEGER PRIMARY KEY, {', '.join(names)})")
    database.execute("CREATE UNIQUE INDEX by_path ON image (path)")
    database.execute("CREATE INDEX by_hash ON image (content_hash)")
    database.execute("CREATE TABLE embedding (image_id INTEGER PRIMARY KEY, vector BLOB)")
    database.commit()
    started = time.perf_counter()
    for row, vector in zip(rows, vectors, strict=True):
        fields = [getattr(row, name) for name in names]
        marks = ", ".join("?" * len(names))
        cursor = database.execute(f"INSERT INTO image ({', '.join(names)}) VALUES ({marks})", fields)
        database.execute("INSERT INTO embedding VALUES (?, ?)", (cursor.lastrowid, vector.tobytes()))
        database.commit()
    seconds = time.perf_counter() - started
    database.close()
    return len(rows) / seconds


def measure(number: int, rounds: int) -> list[Line]:
    rows, vectors = images(number), unit_vectors(number)
    runs: dict[str, Callable[[Path], float]] = {
        "batches of 32": lambda folder: ours(folder, rows, vectors, 32),
        "batches of 256": lambda folder: ours(folder, rows, vectors, 256),
        "naive": lambda folder: one_commit_a_row(folder, rows, vectors, tuned=False),
        "tuned": lambda folder: one_commit_a_row(folder, rows, vectors, tuned=True),
    }
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(run(Path(folder)))
    lines = [plain(f"{name}: rows a second", float(np.median(speeds))) for name, speeds in found.items()]
    for batch in ("batches of 32", "batches of 256"):
        ratio = float(np.median(np.divide(found[batch], found["naive"])))
        lines.append(at_least(f"{batch} over one commit a row", ratio, GOAL))
        tuned = float(np.median(np.divide(found[batch], found["tuned"])))
        lines.append(plain(f"{batch} over one commit a row, tuned", tuned))
    return lines


def main(
    rows: Annotated[int, typer.Option(help="Rows written by each in each round.")] = 1024,
    rounds: Annotated[int, typer.Option(help="Turns of each.")] = 3,
    output: Annotated[Path | None, typer.Option(help="A file for the results, in place of the project's.")] = None,
) -> None:
    publish(measure(rows, rounds), "catalog", f"python benchmarks/catalog.py --rows {rows} --rounds {rounds}", output)


if __name__ == "__main__":
    typer.run(main)
