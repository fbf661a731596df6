from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.vectors.approximate import _cut
from indexer.vectors.faiss_library import load_faiss
from indexer.vectors.fastscan import FastScan, _train, build_fastscan, restore_fastscan
from tests.indexer.samples import unit_rows
from tests.indexer.vectors.clustered import image_queries, pictures, text_queries

SIZE = 5000
QUERIES = np.concatenate([image_queries(5), text_queries(5)])
KINDS = ("pq", "rabitq", "ivf")


@pytest.fixture(scope="module", params=[(kind, built) for kind in KINDS for built in (SIZE, 4000)])
def structure(request: pytest.FixtureRequest) -> FastScan:
    """Built over all vectors, or over the first of them and extended by the others."""
    kind, built = request.param
    vectors = pictures(SIZE)
    vectors[1000:1400] = vectors[4200:4300] = vectors[7]  # copies, whose codes are the same
    found = build_fastscan(kind, vectors[:built])
    for start in range(built, SIZE, 500):
        found = extended(found, vectors[start : start + 500], vectors[:built])
    return found


def extended(structure: FastScan, vectors: NDArray[np.float16], own: NDArray[np.float16]) -> FastScan:
    found = structure.extended(vectors.astype(np.float32), own)
    assert found is not None
    return found


def test_flat_kinds_have_one_list_and_ivf_has_many(structure: FastScan) -> None:
    assert (structure.lists > 50) == (structure.kind == "ivf")
    assert structure.parameters()["lists"] == structure.lists


def test_the_first_of_many_are_those_of_few(structure: FastScan) -> None:
    """But for those that seem as near as the last: which of them are there is chance, and `_cut` leaves them out."""
    for probes in {1, structure.lists // 2 or 1, structure.lists}:
        scores, rows = structure.nearest(QUERIES, 2000, probes, None)
        for few in (1, 10, 37, 300, 1500):
            fewer_scores, fewer_rows = structure.nearest(QUERIES, few, probes, None)
            for number in range(len(QUERIES)):
                there = rows[number] >= 0
                cut = _cut(fewer_scores[number][fewer_rows[number] >= 0], few)
                assert cut == _cut(scores[number][there], few)
                assert set(fewer_rows[number][:cut].tolist()) == set(rows[number][:cut].tolist())


def test_what_is_found_does_not_depend_on_the_batch(structure: FastScan) -> None:
    scores, _ = structure.nearest(QUERIES, 100, structure.lists, None)
    for number, query in enumerate(QUERIES):
        assert np.array_equal(structure.nearest(query[None], 100, structure.lists, None)[0][0], scores[number])


def test_a_selection_is_the_ranking_without_the_others(structure: FastScan) -> None:
    eligible = np.random.default_rng(0).random(SIZE) < 0.3
    scores, rows = structure.nearest(QUERIES, SIZE, structure.lists, None)
    chosen_scores, chosen_rows = structure.nearest(QUERIES, 200, structure.lists, eligible)
    for number in range(len(QUERIES)):
        assert eligible[chosen_rows[number]].all()
        there = (rows[number] >= 0) & eligible[rows[number]]
        assert np.array_equal(chosen_scores[number], scores[number][there][:200])


def test_fewer_than_asked_for_are_padded(structure: FastScan) -> None:
    eligible = np.zeros(SIZE, np.bool_)
    eligible[[4, 17]] = True
    _, rows = structure.nearest(QUERIES[:1], 5, structure.lists, eligible)
    assert sorted(rows[0].tolist()) == [-1, -1, -1, 4, 17]


def test_bytes_bring_it_back(structure: FastScan) -> None:
    restored = restore_fastscan(structure.kind, structure.to_bytes())
    assert restored.parameters() == structure.parameters()
    built = replace(structure, newer=None)  # what it was extended by is not among them
    for ours, theirs in zip(built.nearest(QUERIES, 50, 1, None), restored.nearest(QUERIES, 50, 1, None), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_newer_vectors_get_the_codes_that_older_ones_would(kind: str) -> None:
    vectors = pictures(3000)
    before = build_fastscan(kind, vectors)
    after = extended(extended(before, vectors[:300], vectors), vectors[300:1000], vectors)
    scores, rows = after.nearest(QUERIES, 4000, after.lists, None)
    for number in range(len(QUERIES)):
        of_row = dict(zip(rows[number].tolist(), scores[number].tolist(), strict=True))
        assert [of_row[3000 + row] for row in range(1000)] == [of_row[row] for row in range(1000)]
    assert before.nearest(QUERIES, 4000, 1, None)[1].max() < 3000


def test_vectors_that_differ_along_directions_without_codes_are_not_coded() -> None:
    vectors = pictures(3000, 64)
    structure = build_fastscan("pq", vectors)
    turn = structure._turn
    assert turn is not None
    strange = unit_rows(400, 64).astype(np.float32)
    strange -= strange @ turn.T @ turn
    strange /= np.linalg.norm(strange, axis=1, keepdims=True)
    alike = pictures(400, 64, seed=9).astype(np.float32)
    assert structure.extended(strange, vectors) is None
    assert structure.extended(np.concatenate([alike, strange[:40]]), vectors) is None
    assert structure.extended(alike, vectors) is not None


class GpuFaiss:
    """What is asked of a FAISS with GPUs, without them."""

    def __init__(self, error: str = "") -> None:
        self.IndexFlatIP = load_faiss().IndexFlatIP
        self.asked: list[int] = []
        self._error = error

    def get_num_gpus(self) -> int:
        return 2

    def index_cpu_to_all_gpus(self, index: Any) -> Any:
        self.asked.append(index.d)
        if self._error:
            raise RuntimeError(self._error)
        return index


@pytest.mark.parametrize("error", ["", "out of memory"])
def test_centroids_are_found_on_gpus_where_there_are_some(error: str, caplog: pytest.LogCaptureFixture) -> None:
    faiss, training = load_faiss(), pictures(2000).astype(np.float32)
    there, trained = GpuFaiss(error), []
    with caplog.at_level(logging.INFO):
        for library in (faiss, there):
            index = faiss.index_factory(32, "IVF20,PQ8x4fs", faiss.METRIC_INNER_PRODUCT)
            _train(library, index, index, training)
            assert index.clustering_index is None
            trained.append(index.quantizer.reconstruct_n(0, 20))
    assert np.array_equal(*trained)
    assert there.asked == [32]
    [line] = [record.getMessage() for record in caplog.records]
    assert line.endswith("found on the processor: out of memory" if error else "found on 2 GPUs")


def test_a_single_list_has_no_centroids_to_find() -> None:
    faiss, there = load_faiss(), GpuFaiss()
    index = faiss.index_factory(32, "IVF1,PQ8x4fs", faiss.METRIC_INNER_PRODUCT)
    _train(there, index, index, pictures(2000).astype(np.float32))
    assert index.is_trained
    assert not there.asked


@pytest.mark.parametrize("dimension", [1, 3, 5, 30, 514])
def test_any_dimension_can_be_coded(dimension: int) -> None:
    vectors = unit_rows(300, dimension)
    structure = build_fastscan("pq", vectors)
    scores, rows = structure.nearest(vectors[:4].astype(np.float32), 100, 1, None)
    assert structure.parameters()["code_bytes"] == max(1, (dimension // 4 + 1) // 2)
    for number in range(4):
        found = rows[number][rows[number] >= 0]
        assert len(found) == len(set(found.tolist())) > 50
        assert (np.diff(scores[number][: len(found)]) <= 0).all()
        assert dimension < 4 or number in found


@pytest.mark.parametrize(("flat", "directions"), [(False, 16), (True, 32)])
def test_directions_without_spread_get_no_code(flat: bool, directions: int) -> None:
    vectors = unit_rows(3000, 32) if flat else pictures(3000)
    structure = build_fastscan("pq", vectors)
    assert structure.parameters()["directions"] == directions
    turn = structure._turn
    assert turn is not None
    assert np.abs(turn @ turn.T - np.eye(directions)).max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_other_bytes_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="not a structure of FAISS"):
        restore_fastscan(kind, np.zeros(10, np.uint8))
    other = build_fastscan("pq" if kind == "rabitq" else "rabitq", pictures(300))
    with pytest.raises(ValueError, match=f"not of kind '{kind}'"):
        restore_fastscan(kind, other.to_bytes())
