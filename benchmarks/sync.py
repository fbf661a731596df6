"""A sync of a library where nothing has changed, beside its first indexing; and its memory.

    python benchmarks/sync.py                    # 20,000 files
    python benchmarks/sync.py --files 100000

Small pictures of 64 x 48 pixels, no two alike, a hundred to a folder, are indexed by the whole pipeline with `mini`,
which is everywhere; then they are synced again, unchanged. The first indexing of real photos takes longer, so the ratio
is the lowest there is. Each run is a process of its own, and its memory is the most that it ever had; growth is that of
a sync of all files over one of a fifth of them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.goals import SYNC, Line, at_least, at_most, plain, publish

GOAL, MEMORY_GOAL = 50.0, 1.1
A_FOLDER = 100


def make_pictures(folder: Path, number: int) -> None:
    """JPEGs of a few hundred bytes. No two hold the same."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(number):
        if i % A_FOLDER == 0:
            place = folder / f"{i // A_FOLDER:05}"
            place.mkdir(parents=True)
        blocks = Image.fromarray(rng.integers(0, 256, (3, 4, 3), np.uint8))
        blocks.resize((64, 48), Image.Resampling.NEAREST).save(place / f"{i:07}.jpg", quality=70)


def index_here(folder: str, library: str) -> dict[str, Any]:
    """What `sightline index` does, in this process; seconds of the sync alone, and the most memory, in MB."""
    from indexer.config import Settings
    from indexer.opening import collection_and_encoder
    from indexer.pipeline import sync
    from indexer.reports import SyncReport
    from indexer.root_sync import Target, folders_there, sync_targets, targets_of, total
    from indexer.scope import Scope
    from indexer.sources import ImageSource

    settings = Settings(library=Path(library), model="mini")
    targets = targets_of([], folder)

    with collection_and_encoder(settings, folders_there(targets, settings)) as (collection, encoder):

        def run(target: Target, source: ImageSource, scope: Scope) -> SyncReport:
            return sync(collection, encoder, source, scope=scope, threads=settings.threads)

        started = time.perf_counter()
        report = total(list(sync_targets(collection, targets, settings, run)))
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak": peak, "added": report.added, "unchanged": report.unchanged}


def index(folder: Path, library: Path) -> dict[str, Any]:
    """In a process of its own."""
    command = [sys.executable, "-c", f"import benchmarks.sync as s; s.print_run({str(folder)!r}, {str(library)!r})"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def print_run(folder: str, library: str) -> None:
    print(json.dumps(index_here(folder, library)))


def measure(files: int, rounds: int) -> list[Line]:
    with tempfile.TemporaryDirectory() as place:
        pictures, fifth = Path(place) / "all", Path(place) / "fifth"
        make_pictures(pictures, files)
        make_pictures(fifth, files // 5)
        first = index(pictures, Path(place) / "library")
        index(fifth, Path(place) / "library-of-a-fifth")
        again = [index(pictures, Path(place) / "library") for _ in range(rounds)]
        small = [index(fifth, Path(place) / "library-of-a-fifth") for _ in range(rounds)]
    assert first["added"] == files
    assert all(run["unchanged"] == files for run in again)
    seconds = float(np.median([run["seconds"] for run in again]))
    peak = float(np.median([run["peak"] for run in again]))
    growth = peak / float(np.median([run["peak"] for run in small]))
    return [
        plain("files", files),
        plain("first indexing: files a second", files / first["seconds"]),
        plain("sync, nothing changed: files a second", files / seconds),
        at_least("sync, nothing changed: times faster than the first indexing", first["seconds"] / seconds, GOAL),
        plain("first indexing: peak memory, MB", first["peak"]),
        plain("sync, nothing changed: peak memory, MB", peak),
        at_most("sync, nothing changed: peak memory over that of a fifth of the files", growth, MEMORY_GOAL),
    ]


def main(
    files: Annotated[int, typer.Option(help="How many pictures.")] = 20_000,
    rounds: Annotated[int, typer.Option(help="Syncs of which the median counts.")] = 3,
    output: Annotated[Path | None, typer.Option(help="A file for the results, in place of the project's.")] = None,
) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    command = f"python benchmarks/sync.py --files {files} --rounds {rounds}"
    publish(measure(files, rounds), "sync", command, output, SYNC)


if __name__ == "__main__":
    typer.run(main)
