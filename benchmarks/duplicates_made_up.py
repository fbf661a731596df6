"""A made-up library of any size, for how long it takes to compare all of it; its copies and crops are known."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.goals import Line, at_most, plain
from indexer.duplicates.contents import Contents
from indexer.duplicates.fingerprints import COLOUR_SIDE, SIDE, Colours, Greys
from indexer.duplicates.groups import grouped
from indexer.duplicates.matching import links

DIMENSION = 384
MINUTES = 30
"""For a million."""
_CLUSTERS = 2000
_COPIED = 20  # one picture in so many is a copy of another, one is a crop
_BLOCK = 1 << 14


def measure_size(size: int) -> Iterator[Line]:
    """Processor seconds of each stage, wall time of all, and how many of the planted copies and crops were found.

    Others that are busy on the machine lengthen the one and hardly the other; on two idle cores most stages take half.
    """
    rng = np.random.default_rng(0)
    greys, colours, source, cropped = _pictures(size, rng)
    vectors = _vectors(size, source, cropped, rng)
    contents = Contents(
        hashes=[f"{number:064x}" for number in range(size)],
        ids=np.arange(size),
        shape=np.zeros(size, np.float32),
        taken=np.full(size, np.nan),
        camera=np.full(size, -1, np.int32),
        greys=greys,
        colours=colours,
        known=np.ones(size, np.bool_),
        copies=0,
    )
    spent: Counter[str] = Counter()
    last, started = time.process_time(), time.perf_counter()

    def check(doing: str) -> None:
        nonlocal last
        now = time.process_time()
        spent[doing] += now - last  # type: ignore[assignment]
        last = now

    found = links(contents, vectors, check)
    check("links")
    groups = grouped(found, "crop")
    check("groups")
    total = time.perf_counter() - started
    name = f"{size:,} made-up images"
    for doing, each in spent.items():
        yield plain(f"{name}: {doing}, processor seconds", each)
    yield plain(f"{name}: processor minutes together", spent.total() / 60)
    minutes = f"{name}: wall time, minutes"
    yield at_most(minutes, total / 60, MINUTES) if size >= 1_000_000 else plain(minutes, total / 60)
    yield plain(f"{name}: groups", float(len(groups)))
    linked = {(int(link.first, 16), int(link.second, 16)) for link in found if link.kind in ("same", "crop")}
    for what, chosen in (("copies", ~cropped), ("crops", cropped)):
        rows = np.flatnonzero((source >= 0) & chosen)
        there = sum((min(row, source[row]), max(row, source[row])) in linked for row in rows.tolist())
        yield plain(f"{name}: planted {what} found, %", 100 * there / len(rows))
    yield plain(f"{name}: most memory, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def _pictures(size: int, rng: np.random.Generator) -> tuple[Greys, Colours, NDArray[np.int64], NDArray[np.bool_]]:
    """Of few frequencies; of each the one that it was made from, or -1, and whether it is a crop of that."""
    greys = np.empty((size, SIDE, SIDE), np.uint8)
    colours = np.empty((size, COLOUR_SIDE, COLOUR_SIDE, 2), np.uint8)
    smooth, coarse = _interpolation(9, SIDE), _interpolation(3, COLOUR_SIDE)
    for start in range(0, size, _BLOCK):
        some = min(_BLOCK, size - start)
        cells = rng.normal(128, 50, (some, 9, 9)).astype(np.float32)
        greys[start : start + some] = (smooth @ cells @ smooth.T).clip(0, 255)
        chroma = rng.normal(128, 20, (some, 2, 3, 3)).astype(np.float32)
        colours[start : start + some] = np.moveaxis(coarse @ chroma @ coarse.T, 1, 3).clip(0, 255)
    source, cropped = np.full(size, -1), np.zeros(size, np.bool_)
    planted = rng.permutation(size)[: 4 * (size // _COPIED)].reshape(4, -1)
    source[planted[0]], source[planted[1]], cropped[planted[1]] = planted[2], planted[3], True
    colours[planted[0]] = colours[planted[2]]
    for row in planted[0]:
        greys[row] = (greys[source[row]] + rng.normal(0, 4, (SIDE, SIDE))).clip(0, 255)
    for row in planted[1]:
        side = rng.uniform(0.75, 0.95)
        left, top = rng.uniform(0, 1 - side, 2)
        across, down = (_interpolation(SIDE, SIDE, begin, side) for begin in (left, top))
        greys[row] = (down @ greys[source[row]] @ across.T + rng.normal(0, 4, (SIDE, SIDE))).clip(0, 255)
        across, down = (_interpolation(COLOUR_SIDE, COLOUR_SIDE, begin, side) for begin in (left, top))
        colours[row] = np.einsum("ij,jkc,lk->ilc", down, colours[source[row]], across)
    return greys, colours, source, cropped


def _interpolation(cells: int, pixels: int, begin: float = 0.0, side: float = 1.0) -> NDArray[np.float32]:
    """`(pixels, cells)`: linear, of the part of the cells from `begin`, `side` long, in fractions."""
    place = ((np.arange(pixels) + 0.5) / pixels * side + begin) * cells - 0.5
    weight = 1 - np.abs(place[:, None].clip(0, cells - 1) - np.arange(cells))
    return weight.clip(0, 1).astype(np.float32)


def _vectors(
    size: int, source: NDArray[np.int64], cropped: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float16]:
    """In clusters, with a cosine of 0.4 within one; copies at 0.96 of their source, crops at 0.8."""
    centres = _unit(rng.standard_normal((_CLUSTERS, DIMENSION), np.float32))
    vectors = np.empty((size, DIMENSION), np.float16)
    for start in range(0, size, _BLOCK):
        some = min(_BLOCK, size - start)
        own = _unit(rng.standard_normal((some, DIMENSION), np.float32))
        vectors[start : start + some] = _unit(0.63 * centres[rng.integers(0, _CLUSTERS, some)] + 0.77 * own)
    for row in np.flatnonzero(source >= 0).tolist():
        cosine = 0.8 if cropped[row] else 0.96
        own = _unit(rng.standard_normal((1, DIMENSION), np.float32))[0]
        vectors[row] = cosine * vectors[source[row]] + (1 - cosine**2) ** 0.5 * own
    return vectors


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
