from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.vectors import scoring
from indexer.vectors.scoring import as_float32, narrowed, products, scan, scored
from tests.indexer.samples import unit_rows
from tests.indexer.vectors.clustered import image_queries, pictures


def test_every_finite_half_becomes_the_float_it_is() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    ours, numpys = as_float32(halves), halves.astype(np.float32)
    assert ours.dtype == np.float32
    assert np.array_equal(ours.view(np.uint32), numpys.view(np.uint32))  # the sign of zero, too


def test_float32_is_given_back_as_it_is() -> None:
    rows = np.ones((2, 3), np.float32)
    assert as_float32(rows) is rows


def test_converting_leaves_what_was_converted() -> None:
    rows = unit_rows(5)
    before = rows.copy()
    as_float32(rows)[:] = 0
    assert np.array_equal(rows, before)


def test_a_final_score_does_not_depend_on_the_rows_beside_it() -> None:
    vectors, query = pictures(300, 200), image_queries(1, 200)[0]
    together = scored(vectors, query)
    assert together.dtype == np.float32
    assert [scored(vectors[row : row + 1], query)[0] for row in range(300)] == together.tolist()
    assert scored(vectors.astype(np.float32), query).tolist() == together.tolist()


def best(vectors: NDArray[np.float16], query: NDArray[np.float32], k: int, rows: NDArray[np.intp]) -> set[int]:
    scores = scored(vectors[rows], query)
    return {int(rows[place]) for place in np.argsort(-scores, kind="stable")[:k]}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("chunk", [7, 64, 1 << 15])
@pytest.mark.parametrize("number", [1, 5])
def test_a_scan_finds_the_best_and_few_more(
    number: int, chunk: int, dtype: type[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "CHUNK", chunk)
    monkeypatch.setattr(scoring, "_QUERIES", 2)
    vectors = pictures(400).astype(dtype)
    queries = image_queries(number)
    dead = np.arange(400) % 7 == 0
    rows = np.arange(3, 400, 5)
    every = np.arange(400)
    for found, query in zip(scan(queries, vectors, 10), queries, strict=True):
        assert best(vectors, query, 10, every) <= set(found.tolist())
        assert len(found) <= 12
    for found, query in zip(scan(queries, vectors, 10, dead=dead), queries, strict=True):
        assert best(vectors, query, 10, every[~dead]) <= set(found.tolist())
        assert not dead[found].any()
    for found, query in zip(scan(queries, vectors, 10, rows=rows), queries, strict=True):
        assert best(vectors, query, 10, rows) <= set(found.tolist()) <= set(rows.tolist())


def test_a_scan_of_fewer_than_k_finds_them_all() -> None:
    vectors, queries = pictures(6), image_queries(2)
    assert [sorted(found) for found in scan(queries, vectors, 10)] == [[0, 1, 2, 3, 4, 5]] * 2
    dead = np.array([True] * 6)
    assert [len(found) for found in scan(queries, vectors, 10, dead=dead)] == [0, 0]
    assert [len(found) for found in scan(queries, vectors[:0], 10)] == [0, 0]
    assert [len(found) for found in scan(queries, vectors, 10, rows=np.empty(0, np.intp))] == [0, 0]


def test_narrowing_keeps_the_best_of_each_depth() -> None:
    vectors, query = pictures(500), image_queries(1)[0]
    rows = np.random.default_rng(0).permutation(500)
    keep = narrowed(query, products(query, vectors, rows), (50, 500), (10, 40))
    kept = rows[keep]
    assert best(vectors, query, 10, rows[:50]) <= set(kept.tolist())
    assert best(vectors, query, 40, rows) <= set(kept.tolist())
    assert len(kept) <= 52
