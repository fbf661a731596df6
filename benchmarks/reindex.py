"""Reindexing a million rows, beside the stub that encodes them.

    python benchmarks/reindex.py

The rows are made up and have random vectors of 512 dimensions; no file stands behind them, and every picture is the
same 224 px array, so that nothing is read or decoded. All else is real: the job with its beats, shards and leases, the
look-ahead, batches of pixels handed over, commits, counts. The stub answers each batch when as much time is over as
that many images take at its rate, as a GPU would, and is timed alone in the same process before and after the run. A
stub that answers at once tells where our own limit is. Seconds are those from the first look at the catalog to the
last commit; the new index is not built. Memory is the peak resident set of the process that reindexes. Linux only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])
    os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import typer

from benchmarks.catalog import MANIFEST, images, unit_vectors
from benchmarks.evaluation import status_megabytes
from benchmarks.goals import MODELS, Line, at_least, at_most, plain, publish
from indexer.catalog import Catalog, FileState
from indexer.jobs.running import JobRun, run_job
from indexer.manifest import Manifest
from indexer.reindex import reindex
from indexer.stored_pictures import Picture

GOAL, FLAT = 0.9, 1.1
FEW = 100_000
_PUT = 2000  # rows a transaction while the catalog is made
_ALONE = 3.0  # seconds that the stub runs alone, before and after


class Stub:
    """An encoder that takes its time and does nothing; at a rate of 0 not even that."""

    batch_size = 256

    def __init__(self, rate: float) -> None:
        self.manifest = replace(MANIFEST, model="stub", weights_hash="1" * 64)
        self._rate = rate
        self._rows = unit_vectors(self.batch_size).astype(np.float32)

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        if self._rate:
            time.sleep(len(pixels) / self._rate)
        return self._rows[: len(pixels)]

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        raise NotImplementedError


class Blank:
    """Pictures that cost nothing to read and decode."""

    def __init__(self) -> None:
        self._picture = Picture(np.zeros((224, 224, 3), np.uint8), "file")

    def policy(self, policy: str) -> str:
        return policy

    def get(self, file: FileState, manifest: Manifest) -> Picture:
        return self._picture


def make_catalog(library: Path, rows: int) -> None:
    vectors = unit_vectors(_PUT)
    with Catalog.create(library, MANIFEST) as catalog:
        for start in range(0, rows, _PUT):
            some = images(min(_PUT, rows - start), start)
            catalog.put(some, vectors[: len(some)])


def run(library: Path, rate: float, threads: int) -> dict[str, float]:
    """Images a second of the whole (`speed`) and of the stub alone, and the peak in MB."""
    stub: Any = Stub(rate)
    alone = _alone(stub) if rate else 0.0
    with Catalog.open(library) as catalog:
        found: dict[str, float] = {}

        def work(run: JobRun) -> dict[str, float]:
            shards = catalog.shards(run.job.id)
            report = reindex(catalog, stub, shards, run.progress, pictures=Blank(), threads=threads)
            assert (report.filled, report.missing) == (catalog.count(), 0)
            found.update(speed=report.filled / report.seconds, peak=status_megabytes("VmHWM"))
            catalog.models.drop(report.model_id)
            return {}

        run_job(catalog.jobs, catalog.jobs.add("reindex", {"model": "stub"}).id, work)
    return found | {"alone": (alone + _alone(stub)) / 2 if rate else 0.0}


def _alone(stub: Stub) -> float:
    pixels = np.zeros((stub.batch_size, 224, 224, 3), np.uint8)
    batches, started = 0, time.perf_counter()
    while time.perf_counter() - started < _ALONE:
        stub.encode_images(pixels)
        batches += 1
    return batches * stub.batch_size / (time.perf_counter() - started)


def measure(scratch: Path, rows: int, rate: float, threads: int) -> list[Line]:
    """Of few rows and many: the rate over the stub's, our own limit, and memory."""
    lines, peaks = [], []
    for number in (min(FEW, rows // 2), rows):
        library = scratch / str(number)
        make_catalog(library, number)
        timed, free = _apart(library, rate, threads), _apart(library, 0, threads)
        peaks.append(timed["peak"])
        about = f"{number:,} rows"
        lines += [
            plain(f"{about}, the stub alone: images a second", timed["alone"]),
            plain(f"{about}, reindex with it: images a second", timed["speed"]),
            at_least(f"{about}, reindex over the stub alone", timed["speed"] / timed["alone"], GOAL),
            plain(f"{about}, a stub that costs nothing: images a second", free["speed"]),
            plain(f"{about}, peak MB", timed["peak"]),
        ]
        shutil.rmtree(library)
    return [*lines, at_most("peak memory of the many rows over that of the few", peaks[1] / peaks[0], FLAT)]


def _apart(library: Path, rate: float, threads: int) -> dict[str, float]:
    """`run` in a process of its own."""
    command = [sys.executable, __file__, "--only", str(library), "--rate", str(rate), "--threads", str(threads)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return found


def main(
    rows: Annotated[int, typer.Option(help="Rows of the large catalog.")] = 1_000_000,
    rate: Annotated[float, typer.Option(help="Images a second that the stub encodes; 0: at once.")] = 2500.0,
    threads: Annotated[int, typer.Option(help="Threads of the look-ahead.")] = 2,
    output: Annotated[Path | None, typer.Option(help="A file for the results, in place of the project's.")] = None,
    only: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    if only is not None:
        print(json.dumps(run(only, rate, threads)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        lines = measure(Path(scratch), rows, rate, threads)
    publish(lines, "reindex", f"python benchmarks/reindex.py --rows {rows} --rate {rate:g}", output, MODELS)


if __name__ == "__main__":
    typer.run(main)
