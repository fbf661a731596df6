"""How long searches take, and what the process needs: latency, throughput, memory."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoder import Embeddings, Encoder
from search.benchmark.report import Histogram, Machine, SearchTimes
from search.ranks import Float64

SINGLE_QUERIES = 1000
FEWEST = 200
"""Timings at least; with fewer queries each is asked several times."""
TEXT_QUERIES = 50
WARM_UP = 5
BATCH = 64
K = 10
"""Results asked for, as on the first page."""
BINS = 30

Searcher = Callable[[Embeddings], object]
"""Searches for `(n, dimension)` queries."""


def time_queries(search: Searcher, queries: Embeddings, *, most: int = SINGLE_QUERIES) -> SearchTimes | None:
    """Single queries, one after the other, spread over those given; after a warm-up. None without queries."""
    if not len(queries):
        return None
    rows = spread(len(queries), most)
    rows *= -(-min(most, FEWEST) // len(rows))
    for row in rows[:WARM_UP]:
        search(queries[row : row + 1])
    return summary([_seconds(search, queries[row : row + 1]) for row in rows])


def time_texts(search: Searcher, texts: Sequence[str], encoder: Encoder) -> SearchTimes | None:
    """The same from the text: embedding included."""
    rows = spread(len(texts), TEXT_QUERIES)

    def answer(text: str) -> object:
        return search(encoder.encode_texts([text]))

    for row in rows[:WARM_UP]:
        answer(texts[row])
    return summary([_seconds(answer, texts[row]) for row in rows]) if rows else None


def throughput(search: Searcher, queries: Embeddings, *, seconds: float = 1.0) -> float | None:
    """Queries a second in batches of 64, over about so many seconds or once through, whichever is less."""
    if not len(queries):
        return None
    starts = range(0, len(queries), BATCH)
    for start in islice(starts, 1):
        search(queries[start : start + BATCH])
    done, began = 0, time.perf_counter()
    for start in starts:
        batch = queries[start : start + BATCH]
        search(batch)
        done += len(batch)
        if time.perf_counter() - began > seconds:
            break
    return done / (time.perf_counter() - began)


def summary(seconds: Sequence[float]) -> SearchTimes:
    """p50, p99, and a histogram of bins that grow by the same factor: latencies have a long tail."""
    times: Float64 = 1000 * np.asarray(seconds, np.float64)
    low, high = max(float(times.min()), 1e-6), max(float(times.max()), 2e-6)
    edges = np.geomspace(low, max(high, low * 1.01), BINS + 1)
    edges[0], edges[-1] = min(edges[0], float(times.min())), max(edges[-1], float(times.max()))
    counts, _ = np.histogram(times, edges)
    p50, p99 = np.percentile(times, [50, 99])
    return SearchTimes(float(p50), float(p99), Histogram(tuple(edges.tolist()), tuple(counts.tolist())))


def spread(total: int, most: int) -> list[int]:
    """At most so many rows, evenly spread from the first to the last."""
    if total <= most:
        return list(range(total))
    return [int(row) for row in np.linspace(0, total - 1, most).round()]


def peak_memory_mb() -> float | None:
    """The most memory that this process has had at once, in MB; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def peak_gpu_memory_mb() -> float | None:
    """The most that torch has had on the GPU at once; None without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_allocated()) / 1e6


def machine() -> Machine:
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return Machine(cpu=_cpu(), cores=_cores(), memory_gb=round(memory / 1e9, 1), gpu=gpu)


def versions() -> dict[str, str]:
    """Of what computes; a library that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "torch", "open_clip_torch", "faiss-cpu", "faiss-gpu", "pillow", "simplejpeg"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _seconds(answer: Callable[[Any], object], query: Any) -> float:
    started = time.perf_counter()
    answer(query)
    return time.perf_counter() - started


def _cpu() -> str:
    """The processor's name as Linux tells it, else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
