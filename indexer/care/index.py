"""The vector index: are its files whole, has it the catalog's ids, and does it find what it should?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.care.findings import Finding, fix
from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.vectors import Ids, Matches
from indexer.vectors.cache import VectorCache

SAMPLE = 100
"""Vectors that have to find themselves; the truth for them takes a pass over the catalog."""
DEPTH = 10

_TIE = 1e-6  # two float32 sums of the same products differ by less
_ROUNDING = (
    2e-3  # a near-duplicate, rounded to float16 the longer way, may score higher than the picture itself by this
)
_TRIES = 3


def cache(catalog: Catalog, cache: VectorCache) -> Iterator[Finding]:
    library, damage = catalog.library, cache.damage()
    summary = cache.summary()  # before the catalog's revision, which only grows
    if summary and summary.revision > catalog.revision():
        damage = damage or "they are newer than the catalog, which was put back"
    if damage:
        message = f"the files of the vector index cannot be used: {damage}; the catalog has all that is needed"
        yield Finding("index files", "warning", message, fix(library), partial(rebuild, library))
    elif summary:
        yield Finding("index files", "ok", f"{summary.kind}, {summary.count:,} vectors, every file as it was written")
    else:
        yield Finding("index files", "ok", "there are none; searches read the catalog")


def ids(collection: Collection) -> Iterator[Finding]:
    """Somebody who writes meanwhile is waited for a few times."""
    for _ in range(_TRIES):
        revision = collection.catalog.revision()
        wanted, found = collection.catalog.ids(), collection.snapshot().ids()
        if collection.catalog.revision() == revision:
            break
    else:
        yield Finding("index ids", "ok", "not compared: the collection is being written")
        return
    more, fewer = len(np.setdiff1d(found, wanted)), len(np.setdiff1d(wanted, found))
    if more or fewer:
        message = f"the vector index lacks {fewer:,} images of the catalog and has {more:,} that are not in it"
        mend = partial(rebuild, collection.library)
        yield Finding("index ids", "broken", message, fix(collection.library), mend)
    else:
        yield Finding("index ids", "ok", f"the same {len(wanted):,} as the catalog's")


def self_recall(collection: Collection) -> Iterator[Finding]:
    """A sample of stored vectors must find themselves first, and the best ten as often as the plan asks for."""
    catalog = collection.catalog
    sample = _sampled(catalog.ids())
    if not len(sample):
        yield Finding("self-recall", "ok", "there is nothing to find")
        return
    queries = np.stack([collection.vector(id_) for id_ in sample])
    matches = collection.search(queries, DEPTH)
    stored = np.stack([catalog.vector(int(id_)) for id_ in sample]).astype(np.float32)
    own = np.minimum((stored * queries).sum(axis=1), 1)  # as scores are
    lost = sum(not _finds_itself(*found) for found in zip(sample, own, matches, strict=True))
    shares = _recalls(matches, _truth(catalog, queries))
    recall, error = float(shares.mean()), 2 * float(shares.std()) / len(shares) ** 0.5
    measured = f"recall@{DEPTH} {recall:.3f} against exact search, with {len(sample):,} stored vectors"
    target = collection.plan.recall
    mend = partial(rebuild, collection.library)
    if lost:
        message = f"{lost:,} of {len(sample):,} stored vectors do not find themselves first; {measured}"
        yield Finding("self-recall", "broken", message, fix(collection.library), mend)
    elif recall + error < target:
        message = f"{measured}, where {target:g} is wanted"
        yield Finding("self-recall", "warning", message, fix(collection.library), mend)
    else:
        yield Finding("self-recall", "ok", f"every vector finds itself first; {measured}")


def rebuild(library: Path) -> str:
    """Make the vector index anew from the catalog; the plan and the texts it is calibrated with are kept."""
    with Collection.open(library) as collection, collection.writing():
        done = collection.fold(always=True)
    return "made the vector index anew from the catalog" if done else "the vector index could not be made anew"


def _sampled(ids: Ids) -> Ids:
    rows = np.linspace(0, len(ids) - 1, min(SAMPLE, len(ids))).astype(np.intp)
    return ids[rows]


def _finds_itself(id_: int, own: float, matches: Matches) -> bool:
    """First, or tied with what is: of more copies of one picture than are asked for, some are not shown."""
    if not len(matches.ids) or matches.scores[0] > own + _ROUNDING:
        return False
    itself = matches.scores[matches.ids == id_]
    return bool((itself >= own - _ROUNDING).any() or matches.scores[-1] >= own - _TIE)


def _truth(catalog: Catalog, queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(queries, k)`: the best scores of all vectors, from the catalog itself, k at most `DEPTH`."""
    best = np.empty((len(queries), 0), np.float32)
    for changes in catalog.changes_since(0):
        scores = np.concatenate([best, queries @ changes.put_vectors.astype(np.float32).T], axis=1)
        if scores.shape[1] > DEPTH:
            scores = np.partition(scores, -DEPTH, axis=1)[:, -DEPTH:]
        best = scores
    return -np.sort(-best, axis=1)


def _recalls(matches: list[Matches], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """`(queries,)`: how many of the true best were found, ties counted as found."""
    wanted = truth.shape[1]
    return np.array(
        [
            np.count_nonzero(found.scores >= row[-1] - _TIE) / wanted
            for found, row in zip(matches, np.clip(truth, -1, 1), strict=True)
        ]
    )
