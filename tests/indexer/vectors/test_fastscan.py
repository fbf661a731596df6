from __future__ import annotations

import numpy as np
import pytest

from indexer.vectors.approximate import _cut
from indexer.vectors.fastscan import FastScan, build_fastscan, restore_fastscan
from tests.indexer.samples import unit_rows
from tests.indexer.vectors.clustered import image_queries, pictures, text_queries

SIZE = 5000
QUERIES = np.concatenate([image_queries(5), text_queries(5)])
KINDS = ("pq", "rabitq", "ivf")


@pytest.fixture(scope="module", params=KINDS)
def structure(request: pytest.FixtureRequest) -> FastScan:
    vectors = pictures(SIZE)
    vectors[1000:1400] = vectors[7]  # copies, whose codes are the same
    return build_fastscan(request.param, vectors)


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
    for ours, theirs in zip(
        structure.nearest(QUERIES, 50, 1, None), restored.nearest(QUERIES, 50, 1, None), strict=True
    ):
        assert np.array_equal(ours, theirs)


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
