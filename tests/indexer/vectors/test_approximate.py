"""How many candidates are taken, and when they are not trusted; what is found is held against brute force elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.vectors import approximate, joined
from indexer.vectors.approximate import ApproximateBase
from indexer.vectors.calibration import Effort
from indexer.vectors.fastscan import build_fastscan
from indexer.vectors.scoring import products
from tests.indexer.vectors.clustered import image_queries, pictures, text_queries

SIZE = 6000
VECTORS = pictures(SIZE)
QUERY = text_queries(1)


@pytest.fixture(scope="module")
def base() -> ApproximateBase:
    return ApproximateBase(build_fastscan("pq", VECTORS), np.arange(SIZE), VECTORS, Effort(100, 1))


@pytest.mark.parametrize(("k", "depths"), [(1, (10,)), (10, (10,)), (11, (10, 100)), (1000, (10, 100, 1000))])
def test_depths_are_the_same_for_every_k(base: ApproximateBase, k: int, depths: tuple[int, ...]) -> None:
    assert base.depths(k) == depths


def test_candidates_for_less_are_the_first_of_those_for_more(base: ApproximateBase) -> None:
    [few] = base.candidates(QUERY, base.depths(10), None, None)
    [more] = base.candidates(QUERY, base.depths(100), None, None)
    [all_] = base.candidates(QUERY, base.depths(1000), None, None)
    assert few.cuts == more.cuts[:1] == all_.cuts[:1]
    assert more.cuts == all_.cuts[:2]
    assert set(few.rows.tolist()) == set(all_.rows[: few.cuts[0]].tolist())
    assert 90 <= few.cuts[0] <= 100
    assert few.cuts[0] * 3 < more.cuts[1] < few.cuts[0] * 6


def test_scores_of_candidates_are_theirs(base: ApproximateBase) -> None:
    [found] = base.candidates(QUERY, base.depths(100), None, None)
    assert found.scores is not None
    assert np.array_equal(found.scores, products(QUERY[0], VECTORS, found.rows))


def test_a_depth_whose_candidates_would_be_most_of_all_is_scored_whole(base: ApproximateBase) -> None:
    [found] = base.with_effort(Effort(1000, 1)).candidates(QUERY, base.depths(100), None, None)
    assert found.cuts[0] < 1001
    best = np.argsort(-(VECTORS.astype(np.float32) @ QUERY[0]))[:100]
    assert set(best.tolist()) <= set(found.rows[: found.cuts[1]].tolist())
    [exact] = base.with_effort(Effort(2000, 1)).candidates(QUERY, base.depths(10), None, None)
    assert set(best[:10].tolist()) <= set(exact.rows.tolist())
    assert len(exact.rows) < 13


def test_what_a_filter_leaves_far_from_the_query_is_scored_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = []
    real = joined.scan
    monkeypatch.setattr(joined, "scan", lambda *given, **named: scanned.append(1) or real(*given, **named))
    monkeypatch.setattr(approximate, "GATHERED", 100)
    vectors, query = pictures(SIZE, 64), image_queries(3, 64)[:1]
    base = ApproximateBase(build_fastscan("pq", vectors), np.arange(SIZE), vectors, Effort(100, 1))
    order = np.argsort(vectors.astype(np.float32) @ query[0])
    for rows, whole in ((order[:3000], True), (order[3000:], False)):
        scanned.clear()
        base.candidates(query, base.depths(10), None, np.sort(rows))
        assert bool(scanned) == whole
