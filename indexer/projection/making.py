"""Makes the map of a collection, and says where newer pictures lie on one that was made before."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.projection.layout import EARLY, LATE, Advance, lay_out
from indexer.projection.picture_map import PictureMap, Places, read, scaled, write
from indexer.projection.regions import Region, name_regions
from indexer.tags.labels import shipped_labels
from indexer.vectors import Ids, Vectors

JOB: Final = "map"
"""The kind of job that this is."""
MOST: Final = 50_000
"""Pictures on a map. Of larger collections as many, drawn evenly: more would not be told apart."""
_NEAREST = 8  # pictures of the collection that a newer one is looked for beside
_SEED = 0


@dataclass(frozen=True, slots=True)
class MapReport:
    images: int
    """That the collection has."""
    shown: int
    """That are on the map."""
    regions: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class CurrentMap:
    """A map as it is to be shown now."""

    ids: Ids
    places: Places
    regions: tuple[Region, ...]
    images: int
    """That the collection has now."""
    newer: int
    """Of `ids`: were not there when it was laid out, and lie beside their neighbours."""
    stale: bool
    """Whether a tenth of the collection has changed since: it is time for a new one."""


def make_map(collection: Collection, encoder: Encoder, advance: Advance, *, threads: int | None = None) -> MapReport:
    """Lay the collection out anew. Its regions are named with the words of the list that ships."""
    started = time.monotonic()
    revision = collection.catalog.revision()
    ids, images = _drawn(collection)
    vectors = collection.snapshot().vectors_of(ids)
    points = lay_out(vectors, advance, seed=_SEED, threads=threads or os.cpu_count() or 1)
    labels = shipped_labels()
    texts = collection.kept_texts("regions", tuple(label.texts[0] for label in labels), encoder)
    names = [label.name for label in labels]
    regions = name_regions(points, vectors, names, texts) if texts is not None else []
    places, named = scaled(points, regions)
    write(collection.map_file, PictureMap(ids, places, named, images, revision))
    advance(EARLY + LATE, EARLY + LATE)
    return MapReport(images, len(ids), len(named), time.monotonic() - started)


def current_map(collection: Collection) -> CurrentMap | None:
    """The map that was made last, less what is gone and with what is new; None if none was made.

    What is new lies amid its nearest neighbours of the map, unless the map is full.
    """
    made = read(collection.map_file)
    if made is None:
        return None
    put, removed = _changes(collection, made.revision)
    gone = np.isin(made.ids, removed)
    ids, places = made.ids[~gone], made.places[~gone]
    newer = np.setdiff1d(put, ids)
    newer = newer[: max(0, MOST - len(ids))]
    found, where = _placed(collection, newer, ids, places)
    order = np.argsort(np.concatenate([ids, found]), kind="stable")
    changed = len(newer) + int(gone.sum())
    return CurrentMap(
        ids=np.concatenate([ids, found])[order],
        places=np.concatenate([places, where])[order],
        regions=made.regions,
        images=collection.catalog.count(),
        newer=len(found),
        stale=10 * changed > made.images,
    )


def _drawn(collection: Collection) -> tuple[Ids, int]:
    """The ids to lay out, ascending, and how many there are."""
    ids = collection.snapshot().ids()
    if len(ids) <= MOST:
        return np.sort(ids), len(ids)
    return np.sort(np.random.default_rng(_SEED).choice(ids, MOST, replace=False)), len(ids)


def _changes(collection: Collection, revision: int) -> tuple[Ids, Ids]:
    put: list[Ids] = []
    removed: list[Ids] = []
    for change in collection.catalog.changes_since(revision):
        put.append(change.put_ids)
        removed.append(change.removed_ids)
    nothing = np.empty(0, np.int64)
    return np.concatenate([nothing, *put]), np.concatenate([nothing, *removed])


def _placed(collection: Collection, newer: Ids, ids: Ids, places: Places) -> tuple[Ids, Places]:
    """Those of `newer` that have a neighbour on the map, at the median of such neighbours."""
    if not len(newer) or not len(ids):
        return np.empty(0, np.int64), np.empty((0, 2), np.uint16)
    vectors: Vectors = collection.snapshot().vectors_of(newer)
    found, where = [], []
    for id, matches in zip(newer, collection.search(vectors, _NEAREST + 1), strict=True):
        near = places[np.isin(ids, matches.ids[matches.ids != id])]
        if len(near):
            found.append(id)
            where.append(np.median(near, axis=0).astype(np.uint16))
    return np.array(found, np.int64), np.array(where, np.uint16).reshape(-1, 2)
