"""A collection's life, over and over, until it is killed: index, reindex, promote, fold, backup. Run as a program.

python -m tests.e2e.life LIBRARY PICTURES SEED

It says on standard output what it begins.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer import reindex as reindexing
from indexer.care.backup import back_up
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import CollectionNotFound, NotReady
from indexer.jobs.running import JobRun, run_job
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.palette import PaletteEncoder


class Turned(PaletteEncoder):
    """Another model: the palette's dimensions in another order, so that the two do not mix."""

    def __init__(self) -> None:
        super().__init__(model="turned", weights_hash="1" * 64)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().encode_images(pixels)[:, ::-1])


ENCODERS: dict[str, Callable[[], Encoder]] = {"palette": PaletteEncoder, "turned": Turned}


def index(library: Path, pictures: Path) -> None:
    with (
        Collection.open_or_create(library, PaletteEncoder().manifest)
        if not library.exists()
        else opened(library) as collection
    ):
        sync(collection, ENCODERS[collection.manifest.model](), FolderSource(pictures), batch_size=4, threads=2)


def opened(library: Path) -> Collection:
    try:
        return Collection.open(library)
    except CollectionNotFound:
        return Collection.open_or_create(library, PaletteEncoder().manifest)


def other(collection: Collection) -> Encoder:
    return ENCODERS["turned" if collection.manifest.model == "palette" else "palette"]()


def reindex(library: Path, pictures: Path) -> None:
    """Every other time from the beginning: the other model is forgotten first."""
    with opened(library) as collection:
        encoder, catalog = other(collection), collection.catalog
        jobs = catalog.jobs.all(1)
        for stored in catalog.models.all() if jobs and jobs[0].id % 2 else ():
            if not stored.serving:
                collection.drop(stored.id)

        def work(run: JobRun) -> dict[str, int]:
            shards = catalog.shards(run.job.id)
            report = reindexing.reindex(catalog, encoder, shards, run.progress, batch_size=4, threads=2, shard_images=9)
            return {"filled": report.filled}

        job = catalog.jobs.add("reindex", {"model": encoder.manifest.model})
        run_job(catalog.jobs, job.id, work)


def promote(library: Path, pictures: Path) -> None:
    with opened(library) as collection:
        number = collection.catalog.models.add(other(collection).manifest)
        try:
            collection.promote(number)
        except NotReady:
            return


def fold(library: Path, pictures: Path) -> None:
    with opened(library) as collection:
        collection.fold(always=True)


def backup(library: Path, pictures: Path) -> None:
    """In place of the one before."""
    target = backup_of(library)
    target.unlink(missing_ok=True)
    try:
        back_up(library, target)
    except CollectionNotFound:
        return


def backup_of(library: Path) -> Path:
    return library.with_name("backup.tar")


OPERATIONS = (index, reindex, promote, fold, backup)


def main() -> None:
    library, pictures, rng = Path(sys.argv[1]), Path(sys.argv[2]), random.Random(int(sys.argv[3]))
    say("ready")
    ends = time.monotonic() + 30  # should nobody kill it
    while time.monotonic() < ends:
        operation = rng.choice(OPERATIONS)
        say(operation.__name__)
        operation(library, pictures)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
