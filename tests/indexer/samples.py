"""Images that no file stands behind, for tests of the catalog and what is built on it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, NewImage
from indexer.collection import Collection
from indexer.manifest import Manifest
from tests.palette import PaletteEncoder

DIMENSION = 8
MANIFEST: Manifest = dataclasses.replace(PaletteEncoder().manifest, dimension=DIMENSION)


def an_image(path: str, **fields: Any) -> NewImage:
    known: dict[str, Any] = {
        "path": path,
        "size": 1000,
        "mtime_ns": 1_700_000_000_123_456_789,
        "content_hash": hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest(),
        "width": 640,
        "height": 480,
        "format": "jpeg",
        "taken_at": None,
        "camera": None,
    }
    return NewImage(**{**known, **fields})


def unit_rows(number: int, dimension: int = DIMENSION, *, seed: int = 0) -> NDArray[np.float16]:
    rows = np.random.default_rng(seed).standard_normal((number, dimension)).astype(np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def brute_force(
    ids: NDArray[np.int64], vectors: NDArray[np.float16], query: NDArray[np.float32], k: int
) -> tuple[list[int], list[float]]:
    """Ids and scores of the best k by the definition: every score, then by score and id."""
    scores = (vectors.astype(np.float32) * query).sum(axis=1)
    order = sorted(range(len(ids)), key=lambda row: (-scores[row], ids[row]))[:k]
    return [int(ids[row]) for row in order], [float(np.clip(scores[row], -1, 1)) for row in order]


@contextmanager
def forbidden(folder: Path, mode: int) -> Iterator[None]:
    """`folder` and all in it with that mode; if we are root, with another user's rights, as root may do anything."""
    root = os.geteuid() == 0
    places = [folder, *folder.rglob("*")]
    for place in places:
        place.chmod(mode)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for place in places:
            place.chmod(0o755)


@contextmanager
def public_folder() -> Iterator[Path]:
    """Where every user may go; pytest's own folders are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


QUERIES = unit_rows(4, seed=77).astype(np.float32)


def put(into: Catalog | Collection, *paths: str, seed: int = 0) -> list[int]:
    catalog = into.catalog if isinstance(into, Collection) else into
    return catalog.put([an_image(path) for path in paths], unit_rows(len(paths), seed=seed))


def found(collection: Collection, k: int = 100) -> list[tuple[list[int], list[float]]]:
    return [(matches.ids.tolist(), matches.scores.tolist()) for matches in collection.search(QUERIES, k)]


def expected(collection: Collection, k: int = 100) -> list[tuple[list[int], list[float]]]:
    """What the catalog alone says, by brute force."""
    ids = np.array(sorted(state.id for state in collection.catalog.files_under("/")), np.int64)
    vectors = np.array([collection.catalog.vector(id_) for id_ in ids], np.float16).reshape(-1, DIMENSION)
    return [brute_force(ids, vectors, query, k) for query in QUERIES]
