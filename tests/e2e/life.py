"""A collection's life, over and over, until it is killed: index, reindex, promote, fold. Run as a program.

python -m tests.e2e.life LIBRARY PICTURES SEED
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import CollectionNotFound, NotReady
from indexer.jobs.running import run_job
from indexer.pipeline import sync
from indexer.reindex import reindex
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


def fill_the_other(library: Path, pictures: Path) -> None:
    with opened(library) as collection:
        encoder, catalog = other(collection), collection.catalog

        def work(run: object) -> dict[str, int]:
            shards = catalog.shards(job.id)
            report = reindex(
                catalog, encoder, shards, lambda done, total: None, batch_size=4, threads=2, shard_images=9
            )
            return {"filled": report.filled}

        job = catalog.jobs.add("reindex", {"model": encoder.manifest.model})
        run_job(catalog.jobs, job.id, work)


def promote_the_other(library: Path, pictures: Path) -> None:
    with opened(library) as collection:
        number = collection.catalog.models.add(other(collection).manifest)
        try:
            collection.promote(number)
        except NotReady:
            return


def fold(library: Path, pictures: Path) -> None:
    with opened(library) as collection:
        collection.fold(always=True)


OPERATIONS = (index, fill_the_other, promote_the_other, fold)


def main() -> None:
    library, pictures, rng = Path(sys.argv[1]), Path(sys.argv[2]), random.Random(int(sys.argv[3]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    ends = time.monotonic() + 30  # should nobody kill it
    while time.monotonic() < ends:
        rng.choice(OPERATIONS)(library, pictures)


if __name__ == "__main__":
    main()
