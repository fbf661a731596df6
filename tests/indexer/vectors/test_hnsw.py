from __future__ import annotations

import numpy as np
import pytest

from indexer.vectors.hnsw import build_hnsw, restore_hnsw
from tests.indexer.vectors.clustered import image_queries, pictures

VECTORS = pictures(800)


def test_a_wide_walk_finds_the_nearest_and_bytes_bring_it_back() -> None:
    graph = build_hnsw(VECTORS)
    queries = image_queries(10)
    scores, rows = graph.nearest(queries, 200, 1, None)
    exact = queries @ VECTORS.T.astype(np.float32)
    true = np.argsort(-exact, axis=1)[:, :10]
    assert np.mean([np.isin(best, found).mean() for best, found in zip(true, rows, strict=True)]) > 0.98
    assert np.abs(scores - np.take_along_axis(exact, rows, 1)).max() < 1e-3
    again = restore_hnsw(graph.to_bytes()).nearest(queries, 200, 1, None)
    assert np.array_equal(again[1], rows)
    assert graph.parameters() == {"links": 32}


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="not a structure of FAISS"):
        restore_hnsw(np.zeros(10, np.uint8))
