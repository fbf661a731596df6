from __future__ import annotations

import pytest

from indexer.errors import InvalidSettings
from indexer.vectors import planning
from indexer.vectors.planning import APPROXIMATE_FROM, EXACT_UP_TO, PQ_UP_TO, BaseKind, IndexPlan, choose_kind


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        (0, "exact"),
        (EXACT_UP_TO, "exact"),
        (EXACT_UP_TO + 1, "pq"),
        (PQ_UP_TO, "pq"),
        (PQ_UP_TO + 1, "ivf"),
    ],
)
def test_the_kind_goes_by_size(size: int, kind: BaseKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "has_cuda", lambda: False)
    assert choose_kind(IndexPlan(), size) == kind


def test_a_gpu_takes_whatever_is_worth_bringing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "has_cuda", lambda: True)
    assert choose_kind(IndexPlan(), EXACT_UP_TO) == "exact"
    assert choose_kind(IndexPlan(), 10 * PQ_UP_TO) == "torch"
    assert choose_kind(IndexPlan(device="cpu"), EXACT_UP_TO + 1) == "pq"


@pytest.mark.parametrize("kind", ["pq", "rabitq", "ivf", "hnsw"])
def test_the_kind_asked_for_is_taken_unless_there_is_nothing_to_approximate(kind: BaseKind) -> None:
    assert choose_kind(IndexPlan(kind), APPROXIMATE_FROM) == kind
    assert choose_kind(IndexPlan(kind), 10 * PQ_UP_TO) == kind
    assert choose_kind(IndexPlan(kind), APPROXIMATE_FROM - 1) == "exact"
    assert choose_kind(IndexPlan("exact"), 10 * PQ_UP_TO) == "exact"
    assert choose_kind(IndexPlan("torch"), 1) == "torch"


@pytest.mark.parametrize("recall", [0.49, 1.01, -1.0, float("nan")])
def test_a_recall_out_of_range_is_refused(recall: float) -> None:
    with pytest.raises(InvalidSettings, match=r"recall.*from 0\.5 to 1"):
        IndexPlan(recall=recall)
    assert (IndexPlan(recall=0.5).recall, IndexPlan(recall=1.0).recall) == (0.5, 1.0)


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidSettings, match=r"tree.*auto, exact, pq, rabitq, ivf, hnsw, torch"):
        IndexPlan("tree")  # type: ignore[arg-type]
