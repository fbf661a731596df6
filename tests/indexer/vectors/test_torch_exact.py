"""On a CPU, where the matrix is float32, unless a test makes it float16 as on a GPU."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from indexer.errors import InvalidSettings
from indexer.vectors import torch_exact
from indexer.vectors.segmented import SegmentedIndex
from indexer.vectors.torch_exact import SLACK, TorchBase
from tests.indexer.samples import brute_force
from tests.indexer.vectors.clustered import image_queries, pictures, text_queries

VECTORS = pictures(2500)
IDS = np.arange(2500)
NO_IDS = np.empty(0, np.int64)
QUERIES = np.concatenate([image_queries(4), text_queries(4)])


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("scores", [1 << 27, 3000])
@pytest.mark.parametrize("k", [1, 10, 100, 4000])
def test_it_finds_what_brute_force_finds(k: int, scores: int, half: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_exact, "_SCORES", scores)
    base = TorchBase.build(IDS, VECTORS, "cpu")
    if half:  # as on a GPU
        base = TorchBase(base.ids, base.vectors, base._matrix.half())
    index = SegmentedIndex.of(base).changed(np.array([3, 9000]), VECTORS[:2], np.array([5, 6, 2499]))
    alive, rows = index.contents()
    for allowed in (None, alive[::2], alive[::100], np.array([9000]), np.array([5])):
        keep = np.ones(len(alive), np.bool_) if allowed is None else np.isin(alive, allowed)
        found = index.search(QUERIES, k, allowed)
        for query, matches in zip(QUERIES, found, strict=True):
            assert (matches.ids.tolist(), matches.scores.tolist()) == brute_force(alive[keep], rows[keep], query, k)


def test_products_of_halves_are_within_the_margin() -> None:
    vectors, queries = torch.from_numpy(VECTORS), torch.from_numpy(QUERIES)
    rounded: NDArray[np.float32] = (queries.half() @ vectors.T).float().numpy()
    exact = QUERIES @ VECTORS.T.astype(np.float32)
    assert 2 * np.abs(rounded - exact).max() < SLACK


def test_candidates_are_few() -> None:
    base = TorchBase.build(IDS, VECTORS, "cpu")
    for found in base.candidates(QUERIES, base.depths(10), None, None):
        assert 10 <= len(found.rows) <= 30


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_cannot_keep_the_matrix_is_refused(device: str) -> None:
    with pytest.raises(InvalidSettings, match="device"):
        TorchBase.build(IDS, VECTORS, device)


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_exact, "has_cuda", lambda: False)
    assert TorchBase.build(IDS, VECTORS)._matrix.device.type == "cpu"


def test_queries_of_many_threads_are_answered_together_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    index = SegmentedIndex.of(TorchBase.build(IDS, VECTORS, "cpu"))
    versions = [index, index.changed(NO_IDS, VECTORS[:0], IDS[::2])]
    asked = [(version, query, k) for version in versions for query in QUERIES for k in (1, 10, 40)]
    expected = [version.search(query[None], k)[0] for version, query, k in asked]
    products = []
    found = torch_exact._found
    monkeypatch.setattr(torch_exact, "_found", lambda *given: products.append(len(given[1])) or found(*given))
    gathered = index.base._gathered
    with ThreadPoolExecutor(len(asked)) as pool:
        with gathered._working:  # as if a product were going on
            calls = [pool.submit(version.search, query[None], k) for version, query, k in asked]
            while len(gathered._waiting) < len(asked):
                pass
        answers = [call.result()[0] for call in calls]
    for one, other in zip(answers, expected, strict=True):
        assert np.array_equal(one.ids, other.ids)
        assert np.array_equal(one.scores, other.scores)
    assert products == [24, 24]  # what is dead differs between the versions, how much is asked for does not matter


def test_the_matrix_goes_with_its_base() -> None:
    base = TorchBase.build(IDS, VECTORS, "cpu")
    base.candidates(QUERIES[:1], (10,), None, None)
    matrix = weakref.ref(base._matrix)
    del base
    assert matrix() is None  # at once, not when cycles are looked for: it may be most of a GPU's memory
