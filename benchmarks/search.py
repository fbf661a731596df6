"""Vector search: speed, recall, memory and build time of Sightline's index beside its peers, in one process.

Every engine gets the same generated vectors (`vector_search/generator.py`) and the same held-out queries, half of them
like pictures, half like texts. Each is given the least effort that reaches 0.99 of recall@10 on both; then they take
turns, in blocks of queries, and medians are compared round by round. Builds are timed on one thread. Also: filters,
searching while adding, opening a collection, and the matrix on a GPU where there is one.

Prints the goals with what was measured, and writes `results/search.json`, the tables of `docs/vector-search.md`, and
its picture `docs/vector-search.svg`. Building graphs of 100,000 vectors takes minutes each, and a million vectors
gigabytes; with `--output` a part can be measured without touching the results that are kept:

    python benchmarks/search.py
    python benchmarks/search.py --sizes 10000,100000 --dimensions 512 --threads 1 --output /tmp/search
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and this file hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks import goals
from benchmarks.vector_search import claims, filters, freshness, gpu, opening, report
from benchmarks.vector_search.claims import DIMENSION, GPU_PLACE, IVF_RECALL, RECALL, Measured, Place
from benchmarks.vector_search.comparison import Row, compare
from benchmarks.vector_search.engines import PEERS, Built, build
from benchmarks.vector_search.generator import World
from benchmarks.vector_search.ours import build_ours
from benchmarks.vector_search.scene import Scene, make_scene
from benchmarks.vector_search.timing import threads
from indexer.vectors.planning import EXACT_UP_TO, IndexKind, IndexPlan, choose_kind
from indexer.vectors.segmented import SegmentedIndex

HERE = Path(__file__).parent
RESULTS, PAGE, PICTURE = HERE / "results", HERE.parent / "docs" / "vector-search.md", "vector-search.svg"
DRAWN = 100_000
"""The size whose recall and latency are drawn: the largest that graphs are built for here."""
GRAPHS_UP_TO = 100_000
SLOW_BATCHES = ("rclip-like sort",)
"""Engines that do not take batches."""


def kinds(size: int) -> list[IndexKind]:
    """What Sightline chooses at this size, then the others worth comparing."""
    chosen = choose_kind(IndexPlan(device="cpu"), size)
    others: list[IndexKind] = ["pq", "rabitq"]
    if size > EXACT_UP_TO:
        others.append("ivf")
    if size <= GRAPHS_UP_TO:
        others += ["exact", "hnsw"]
    return [chosen, *(kind for kind in others if kind != chosen)]


def peers(size: int) -> list[str]:
    return [name for name in PEERS if size <= GRAPHS_UP_TO or name not in ("FAISS HNSW", "hnswlib", "usearch")]


PARTS = ("engines", "filters", "freshness", "opening", "gpu")


def measure(
    sizes: list[int], dimensions: list[int], thread_counts: list[int], parts: list[str], queries: int
) -> Iterator[Measured]:
    """All that is known so far, after every step: the whole takes long."""
    measured = Measured(gpu=gpu.why_not() or f"not run: {GPU_PLACE.name} was not asked for")
    yield measured
    for size in sizes:
        for dimension in dimensions:
            say(f"{size:,} x {dimension}")
            scene = make_scene(size, dimension, queries=queries)
            if "engines" in parts:
                measured.engines |= engines(scene, thread_counts)
                yield measured
            if dimension == DIMENSION:
                for _ in one_kind(scene, parts, measured):
                    yield measured


def engines(scene: Scene, thread_counts: list[int]) -> dict[Place, dict[str, Row | str]]:
    """Sightline's own choice first; a reason in place of the row of a peer that is not there."""
    built: dict[str, Built] = {}
    missing: dict[str, Row | str] = {}
    for kind in kinds(scene.size):
        say(f"building Sightline {kind}")
        ours = build_ours(scene, kind, IVF_RECALL if kind == "ivf" else RECALL, 1)
        built[ours.engine.name] = ours
    for name in peers(scene.size):
        say(f"building {name}")
        if peer := build(name, scene, threads=1):
            built[peer.engine.name] = peer
        else:
            missing[name] = "not installed"
    places = [Place(scene.size, scene.dimension, count) for count in thread_counts]
    return {
        place: compare(scene, built, target=RECALL, thread_count=place.threads, unbatched=SLOW_BATCHES, say=say)
        | missing
        for place in places
    }


def one_kind(scene: Scene, parts: list[str], measured: Measured) -> Iterator[None]:
    """What is measured of Sightline's own choice alone, on one thread, step by step."""
    place = Place(scene.size, scene.dimension, 1)
    plan = IndexPlan(recall=RECALL, device="cpu")
    if {"filters", "freshness"} & set(parts):
        with threads(1):
            index = SegmentedIndex.build(scene.ids, scene.stored, plan, scene.probes)
        if "filters" in parts:
            say("filters")
            with threads(1):
                measured.filtered[place] = filters.measure(scene, index)
            yield
        if "freshness" in parts:
            say("searching while adding")
            newcomers = World(scene.size, scene.dimension).pictures(40_000, stream=9).astype(np.float16)
            with threads(1):
                growing = freshness.Growing(index, newcomers, plan, scene.probes)
                measured.fresh[place] = freshness.measure(growing, scene.mixed())
            yield
    if "opening" in parts:
        say("opening")
        measured.opened[place] = opening.measure(scene, RECALL)
        yield
    if "gpu" in parts and place == GPU_PLACE and gpu.why_not() is None:
        say("on the GPU")
        measured.gpu = gpu.measure(scene)
        yield


def publish(measured: Measured, results: Path, page: Path, command: str) -> str:
    """Write results, page and picture; the tables."""
    lines = claims.lines(measured)
    goals.write(lines, results / "search.json", command)
    shown = f"{goals.machine()}, {datetime.now(UTC).date()}, by `{command}`."
    drawn = measured.engines.get(Place(DRAWN, DIMENSION, 1))
    if drawn:
        title = f"Recall@10 against latency, {DRAWN:,} x {DIMENSION}, one thread"
        page.with_name(PICTURE).write_text(report.picture(title, report.curves(drawn)), encoding="utf-8")
        shown += f"\n\n![{title}]({PICTURE})"
    tables = f"{goals.table(lines)}\n\n{report.tables(measured)}"
    report.into_page(page, f"{shown}\n\n{tables}")
    return tables


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def main(
    sizes: Annotated[str, typer.Option(help="Numbers of vectors.")] = "10000,100000,1000000",
    dimensions: Annotated[str, typer.Option(help="Their dimensions; the goals are for 512.")] = "512,768",
    thread_counts: Annotated[str, typer.Option("--threads", help="Threads; the goals are for one.")] = "1,2",
    parts: Annotated[str, typer.Option(help="What to measure.")] = ",".join(PARTS),
    queries: Annotated[int, typer.Option(help="Queries of each kind.")] = 500,
    output: Annotated[Path | None, typer.Option(help="A folder for the results, in place of the project's.")] = None,
) -> None:
    command = " ".join(["python", "benchmarks/search.py", *sys.argv[1:]])
    results, page = (output, output / PAGE.name) if output else (RESULTS, PAGE)
    tables = ""
    asked = numbers(sizes), numbers(dimensions), numbers(thread_counts)
    for measured in measure(*asked, parts.split(","), queries):
        tables = publish(measured, results, page, command)
    print(tables)


if __name__ == "__main__":
    typer.run(main)
