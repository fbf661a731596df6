"""Embeddings laid out in a plane by t-SNE: neighbours stay neighbours, distances further apart mean little.

openTSNE does it, on neighbours that FAISS finds. Why t-SNE and not UMAP or PaCMAP: decision 0015.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.errors import BrokenInstallation
from indexer.vectors import Vectors
from indexer.vectors.faiss_library import load_faiss

Points = NDArray[np.float32]
"""`(n, 2)`."""

PERPLEXITY: Final = 30.0
"""Neighbours that count, roughly: t-SNE's usual number."""
EARLY, LATE = 250, 500
"""Iterations, first with clusters drawn together (exaggeration 12), then without: openTSNE's own numbers."""
_FEWEST = 30  # pictures that t-SNE says something of: eleven once all fell into one point
_EVERY = 10  # iterations between two calls of `advance`

Advance = Callable[[int, int], None]
"""Told how many steps are done, and of how many. May raise, to end it."""


def lay_out(vectors: Vectors, advance: Advance, *, seed: int = 0, threads: int = 2) -> Points:
    """The places of `(n, dimension)` unit rows. The same for the same rows, seed and number of threads.

    Fewer than 30 lie by their first two principal components. Raises BrokenInstallation without openTSNE.
    """
    if len(vectors) < _FEWEST:
        return _principal(vectors)
    tsne = _load("openTSNE", "openTSNE.affinity", "openTSNE.nearest_neighbors", "openTSNE.initialization")
    # With a third of them as neighbours, which is allowed, sixty pictures all fell into one point.
    perplexity = float(np.clip(len(vectors) / 10, 2, PERPLEXITY))
    found = tsne.nearest_neighbors.PrecomputedNeighbors(*_neighbours(vectors, int(3 * perplexity)))
    embedding = tsne.TSNEEmbedding(
        tsne.initialization.pca(vectors, random_state=seed),
        tsne.affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=found, n_jobs=threads, random_state=seed),
        n_jobs=threads,
        random_state=seed,
    )
    for done, iterations, options in ((0, EARLY, {"exaggeration": 12, "momentum": 0.5}), (EARLY, LATE, {})):
        embedding.optimize(
            iterations,
            inplace=True,
            callbacks=[_telling(advance, done)],
            callbacks_every_iters=_EVERY,
            **{"momentum": 0.8, **options},
        )
    return np.asarray(embedding, np.float32)


def _load(package: str, *modules: str) -> Any:
    try:
        for module in modules:
            importlib.import_module(module)
        return importlib.import_module(package)
    except ImportError as error:
        raise BrokenInstallation(
            f"a map needs openTSNE ({error}); install it with `pip install 'sightline[map]'`"
        ) from error


def _telling(advance: Advance, before: int) -> Callable[[int, float, Any], bool]:
    def tell(iteration: int, error: float, embedding: Any) -> bool:
        advance(before + iteration, EARLY + LATE)
        return False

    return tell


def _neighbours(vectors: Vectors, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of each row the k nearest others, by ascending distance, and the cosine distances to them. Each `(n, k)`."""
    index = load_faiss().IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    scores, rows = index.search(vectors, k + 1)
    other = rows != np.arange(len(vectors))[:, None]
    other[other.all(axis=1), -1] = False  # copies of it crowded a row out of its own list: the farthest gives way
    return rows[other].reshape(-1, k), np.maximum(1 - scores[other].reshape(-1, k), 0)


def _principal(vectors: Vectors) -> Points:
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    points = np.zeros((len(vectors), 2), np.float32)
    points[:, : len(axes)] = centred @ axes.T
    return points
