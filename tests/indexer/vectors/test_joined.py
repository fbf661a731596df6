"""Two matrices against the same rows in one."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.vectors import scoring
from indexer.vectors.joined import Joined
from tests.indexer.samples import unit_rows

WHOLE = unit_rows(900, 16)
QUERIES = unit_rows(5, 16, seed=9).astype(np.float32)


@pytest.fixture(params=[0, 1, 700, 900])
def joined(request: pytest.FixtureRequest) -> Joined:
    return Joined(WHOLE[: request.param], WHOLE[request.param :].astype(np.float32))


def test_scores_are_those_of_one_matrix(joined: Joined) -> None:
    rows = np.random.default_rng(0).permutation(900)[:300]
    assert len(joined) == 900
    assert np.array_equal(joined.scored(QUERIES[0], rows), scoring.scored(WHOLE[rows], QUERIES[0]))
    assert np.allclose(joined.products(QUERIES[0], rows), scoring.products(QUERIES[0], WHOLE, rows), atol=1e-6)


@pytest.mark.parametrize("some", [False, True])
@pytest.mark.parametrize("some_dead", [False, True])
def test_a_scan_has_the_best_of_both(joined: Joined, some: bool, some_dead: bool) -> None:
    rng = np.random.default_rng(1)
    dead = rng.random(900) < 0.3 if some_dead else np.zeros(900, np.bool_)
    rows = np.flatnonzero((rng.random(900) < 0.4 if some else True) & ~dead)
    given = {"rows": rows} if some else {"dead": dead}
    for query, found in zip(QUERIES, joined.scan(QUERIES, 20, **given), strict=True):
        best = rows[np.argsort(-scoring.scored(WHOLE[rows], query))[:20]]
        assert set(best.tolist()) <= set(found.tolist()) <= set(rows.tolist())
        assert len(found) == len(set(found.tolist())) <= 42
