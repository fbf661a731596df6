"""On a CPU, where the matrix is float32, unless a test makes it float16 as on a GPU."""

from __future__ import annotations

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
