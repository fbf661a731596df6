"""Time and memory of `search.evaluation.evaluate` beside CLIP_benchmark's `zeroshot_retrieval.evaluate`.

Both get the same unit embeddings (512 dimensions, five captions an image, at COCO's size 5,000 images and 25,010
captions) and must agree. Each run has its own process; runs alternate, so that a busy machine is busy for both; medians
are reported. CLIP_benchmark's function runs unchanged on a model that returns the embeddings, in batches of 64 as its
command line does; its clock and its memory start only when the last batch is embedded. Ours includes everything it
reports: ranks, mAP, nDCG, both tie conventions and 1,000 bootstrap resamples. Memory is the peak resident set minus
that at the start, embeddings excluded, after a small warm-up.

    python benchmarks/evaluation.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.goals import Line, at_least, at_most, plain, table, write

DIMENSION, KS, BATCH = 512, (1, 5, 10), 64
SIZES = ((200, 1_000), (1_000, 5_000), (5_000, 25_010))
FASTER, SMALLER = 5.0, 20.0
RESULTS = Path(__file__).parent / "results" / "evaluation.json"
SIDES = ("ours", "clip_benchmark")


def make(folder: Path, images: int, captions: int) -> None:
    """Captions that lie near their image, so that Recall@1 is neither 0 nor 100 %."""
    rng = np.random.default_rng(0)
    owner = np.sort(np.concatenate([np.arange(images), rng.integers(0, images, captions - images)]))
    pictures = unit(rng.standard_normal((images, DIMENSION), dtype=np.float32))
    texts = unit(0.15 * pictures[owner] + unit(rng.standard_normal((captions, DIMENSION), dtype=np.float32)))
    np.save(folder / "images.npy", pictures)
    np.save(folder / "captions.npy", texts)
    np.save(folder / "owner.npy", owner)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Meter:
    """Seconds and MB from `start` to `stop`. Linux only: `ru_maxrss` would carry the parent's peak across the fork."""

    def start(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
        self.resident = status_megabytes("VmRSS")
        self.started = time.perf_counter()

    def stop(self) -> dict[str, float]:
        seconds = time.perf_counter() - self.started
        return {"seconds": seconds, "megabytes": status_megabytes("VmHWM") - self.resident}


def status_megabytes(name: str) -> float:
    """A line of the process's status: `VmRSS`, resident now, or `VmHWM`, at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{name}:"))


def run_ours(images: np.ndarray, captions: np.ndarray, owner: np.ndarray) -> dict[str, float]:
    from search.evaluation import evaluate

    meter = Meter()
    meter.start()
    found = evaluate(images, captions, owner, ks=KS)
    measured = meter.stop()
    for name, direction in (("t2i", found.text_to_image), ("i2t", found.image_to_text)):
        measured |= {f"{name} R@{k}": direction.figures[f"R@{k}"] for k in KS}
    return measured


def run_clip_benchmark(images: np.ndarray, captions: np.ndarray, owner: np.ndarray) -> dict[str, float]:
    import torch
    from clip_benchmark.metrics import zeroshot_retrieval

    meter, rows = Meter(), torch.from_numpy(captions)
    texts: list[list[int]] = [[] for _ in images]
    for caption, image in enumerate(owner.tolist()):
        texts[image].append(caption)

    class Embedded:
        def encode_image(self, batch: Any) -> Any:
            return batch

        def encode_text(self, batch: Any) -> Any:
            return batch

    def batches() -> Iterator[tuple[Any, list[list[int]]]]:
        for start in range(0, len(images), BATCH):
            yield torch.from_numpy(images[start : start + BATCH]), texts[start : start + BATCH]
        meter.start()

    found = zeroshot_retrieval.evaluate(
        Embedded(), batches(), lambda chosen: rows[chosen], "cpu", amp=False, recall_k_list=list(KS)
    )
    measured = meter.stop()
    measured |= {f"t2i R@{k}": 100 * found[f"image_retrieval_recall@{k}"] for k in KS}
    return measured | {f"i2t R@{k}": 100 * found[f"text_retrieval_recall@{k}"] for k in KS}


def worker(side: str, folder: Path) -> None:
    images, captions, owner = (np.load(folder / f"{name}.npy") for name in ("images", "captions", "owner"))
    run = run_ours if side == "ours" else run_clip_benchmark
    few = int(np.searchsorted(owner, 20))
    run(images[:20], captions[:few], owner[:few])  # imports, thread pools, first allocations
    print(json.dumps(run(images, captions, owner)))


def measure(folder: Path, repeats: int) -> dict[str, list[dict[str, float]]]:
    """Alternating runs, each in its own process."""
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for _ in range(repeats):
        for side in SIDES:
            command = [sys.executable, __file__, "--worker", side, "--folder", str(folder)]
            finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
            found[side].append(json.loads(finished.stdout.splitlines()[-1]))
    return found


def median(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def compared(images: int, captions: int, found: dict[str, list[dict[str, float]]]) -> list[Line]:
    """The rows of one size. The goals are for COCO's size."""
    ours, theirs = (found[side] for side in SIDES)
    coco = (images, captions) == SIZES[-1]
    faster = statistics.median(
        b["seconds"] / a["seconds"] for a, b in zip(ours, theirs, strict=True)
    )  # of neighbouring runs
    smaller = median(theirs, "megabytes") / max(median(ours, "megabytes"), 0.1)
    apart = max(abs(ours[0][name] - theirs[0][name]) for name in ours[0] if "R@" in name)
    rows = [
        plain("seconds, ours", median(ours, "seconds")),
        plain("seconds, CLIP_benchmark", median(theirs, "seconds")),
        at_least("times faster", faster, FASTER) if coco else plain("times faster", faster),
        plain("MB, ours", median(ours, "megabytes")),
        plain("MB, CLIP_benchmark", median(theirs, "megabytes")),
        at_least("times less memory", smaller, SMALLER) if coco else plain("times less memory", smaller),
        at_most("largest difference of a Recall@K, points", apart, 1e-4),
    ]
    return [replace(row, name=f"{images:,} x {captions:,}: {row.name}") for row in rows]


def main(
    repeats: Annotated[int, typer.Option(help="Runs of each side at each size.")] = 3,
    largest: Annotated[int, typer.Option(help="Leave out sizes with more captions.")] = SIZES[-1][1],
    output: Annotated[Path, typer.Option(help="Where the results go.")] = RESULTS,
    worker_side: Annotated[str | None, typer.Option("--worker", hidden=True)] = None,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    if worker_side is not None and folder is not None:
        worker(worker_side, folder)
        return
    rows: list[Line] = []
    for images, captions in SIZES:
        if captions <= largest:
            with tempfile.TemporaryDirectory() as scratch:
                make(Path(scratch), images, captions)
                rows += compared(images, captions, measure(Path(scratch), repeats))
    write(rows, output, "python benchmarks/evaluation.py")
    print(table(rows))


if __name__ == "__main__":
    typer.run(main)
