"""What the checks of the doctor, a backup and an export of a collection cost, and how the ways to do them compare.

A collection of random vectors, its pictures not there; everything takes turns, round by round. Beside SQLite's online
backup stands VACUUM INTO, beside the times the sizes.

    python benchmarks/care.py --images 100000
"""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.goals import Line, plain, table
from benchmarks.vector_search.timing import threads
from indexer import database
from indexer.care import files, index, rows
from indexer.care.backup import back_up
from indexer.care.restore import restore
from indexer.collection import Collection
from indexer.encoder import load_encoder
from indexer.library_folder import VECTORS
from indexer.moving.export import FORMATS, export
from indexer.records import NewImage
from indexer.vectors.cache import Owner, VectorCache

_BATCH = 4000
BACKUPS = ("backup.tar", "backup.tar.zst", "backup")


def make_collection(folder: Path, images: int, dimension: int) -> Collection:
    """Of unit vectors that mean nothing, folded."""
    manifest = dataclasses.replace(load_encoder("mini", device="cpu").manifest, dimension=dimension)
    collection = Collection.open_or_create(folder, manifest)
    rng = np.random.default_rng(0)
    for start in range(0, images, _BATCH):
        batch = range(start, min(images, start + _BATCH))
        vectors = rng.standard_normal((len(batch), dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        collection.catalog.put([_image(number) for number in batch], vectors.astype(np.float16))
    collection.fold(always=True)
    return collection


def _image(number: int) -> NewImage:
    path = f"/home/ada/Pictures/2024/holiday/IMG_{number:07}.jpg"
    return NewImage(path, 2_418_733, number, f"{number:064x}", 4032, 3024, "jpeg", None, "Canon EOS 5D")


def runs(collection: Collection, folder: Path) -> dict[str, Callable[[], object]]:
    """What is timed; each begins where nothing of the last is left, and may use what the one before has made."""
    catalog, library = collection.catalog, collection.library
    manifest = collection.manifest
    cache = VectorCache(library / VECTORS, Owner(catalog.uid, manifest.weights_hash, manifest.dimension))
    found: dict[str, Callable[[], object]] = {
        "doctor: catalog": lambda: list(rows.file(library, quick=False)),
        "doctor: catalog, quick": lambda: list(rows.file(library, quick=True)),
        "doctor: pairs": lambda: list(rows.pairs(catalog)),
        "doctor: vectors": lambda: list(rows.vectors(catalog)),
        "doctor: index files": lambda: list(index.cache(catalog, cache)),
        "doctor: index ids": lambda: list(index.ids(collection)),
        "doctor: self-recall": lambda: list(index.self_recall(collection)),
        "doctor: files": lambda: list(files.files(catalog)),
        "copy: online backup": lambda: _copy(library, folder / "copy.db"),
        "copy: VACUUM INTO": lambda: _vacuum(library, folder / "vacuum.db"),
    }
    for name in BACKUPS:
        found[name] = lambda name=name: back_up(library, folder / name)  # type: ignore[misc]
        found[f"restore {name}"] = lambda name=name: restore(folder / name, folder / f"from-{name}")  # type: ignore[misc]
    for format in FORMATS:
        found[f"export {format}"] = lambda format=format: export(collection, folder / format, format)  # type: ignore[misc]
    return found


def _copy(library: Path, target: Path) -> None:
    engine = database.open_engine(library / database.FILE_NAME)
    database.copy(engine, target)
    engine.dispose()


def _vacuum(library: Path, target: Path) -> None:
    with closing(sqlite3.connect(library / database.FILE_NAME)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


def measure(collection: Collection, folder: Path, rounds: int) -> list[Line]:
    """Median seconds of each, and the megabytes of what was written."""
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, run in runs(collection, folder).items():
            started = time.perf_counter()
            run()
            seconds.setdefault(name, []).append(time.perf_counter() - started)
    lines = [plain(f"{name}: seconds", float(np.median(times))) for name, times in seconds.items()]
    return lines + [plain(f"{name}: MB", _size(folder / name) / 1e6) for name in (*BACKUPS, *FORMATS)]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(inside.stat().st_size for inside in path.iterdir())


def main(
    images: Annotated[int, typer.Option(help="In the collection.")] = 100_000,
    dimensions: Annotated[int, typer.Option(help="Of each vector.")] = 512,
    rounds: Annotated[int, typer.Option(help="Of which the median is taken.")] = 5,
) -> None:
    """Measure, and print a table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        threads(1),
        make_collection(Path(folder) / "library", images, dimensions) as collection,
    ):
        print(table(measure(collection, Path(folder) / "made", rounds)))


if __name__ == "__main__":
    typer.run(main)
