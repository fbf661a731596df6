"""The matrix on a GPU: how near to what its memory allows."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.vector_search.comparison import BATCH
from benchmarks.vector_search.scene import Scene
from benchmarks.vector_search.timing import Run, take_turns, times_faster
from indexer.vectors.planning import IndexPlan
from indexer.vectors.segmented import SegmentedIndex


@dataclass(frozen=True, slots=True)
class OnGpu:
    over_floor: float
    """The time of one query for the best 10, from NumPy to NumPy, over that in which the matrix's bytes can be read, at
    the rate of a copy within the device."""
    batch_over_single: float


def why_not() -> str | None:
    """A reason why there is nothing to measure."""
    try:
        import torch
    except ImportError:
        return "not run: torch is not installed"
    return None if torch.cuda.is_available() else "not run: no CUDA here"


def measure(scene: Scene, *, device: str = "cuda", rounds: int = 9) -> OnGpu:
    index = SegmentedIndex.build(scene.ids, scene.stored, IndexPlan(kind="torch", device=device))
    asked = scene.mixed()
    runs: dict[str, Run] = {
        "single": lambda i: index.search(asked[i : i + 1], 10),
        "batch": lambda i: index.search(asked[:BATCH], 10),
        "copy": _copy(scene.stored.nbytes, device),
    }
    found = take_turns(runs, len(asked), rounds=rounds)
    floor = found["copy"].median / 2  # a copy reads and writes
    return OnGpu(found["single"].median / floor, times_faster(found["single"], found["batch"]))


def _copy(size: int, device: str) -> Run:
    import torch

    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)

    def run(number: int) -> None:
        target.copy_(source)
        if source.is_cuda:
            torch.cuda.synchronize(source.device)

    return run
