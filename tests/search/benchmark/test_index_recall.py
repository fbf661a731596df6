"""Index recall: exact is 100 %, a poor index is not, and what it loses is what Recall@K loses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.errors import InvalidRequest
from search.benchmark.index_recall import ENOUGH, Gallery, build, check_kind, measure
from search.evaluation import evaluate


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    """400 pictures in clusters, two captions each."""
    rng = np.random.default_rng(0)
    pictures = _unit(rng.standard_normal((400, 32)))
    right = np.repeat(np.arange(400), 2)
    return Gallery(pictures, _unit(pictures[right] + 0.25 * rng.standard_normal((800, 32))), right)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def exact(gallery: Gallery) -> dict[str, float]:
    assert gallery.right is not None
    return dict(evaluate(gallery.vectors, gallery.queries, gallery.right, resamples=0).text_to_image.figures)


def test_the_exact_index_loses_nothing_by_being_float16(gallery: Gallery, exact: dict[str, float]) -> None:
    found, search = measure("exact", gallery, exact)
    assert found.recall["10"] == pytest.approx(100, abs=0.5)  # float16 swaps neighbours at the edge
    assert found.recall["100"] == pytest.approx(100, abs=0.5)
    assert len(found.curve) == 1
    assert found.setting == ""
    assert found.cost["R@10"] == pytest.approx(0, abs=0.3)
    assert found.vectors == 400
    assert np.asarray(search(gallery.queries[:3])).shape == (3, 10)


def test_an_ivf_index_gains_recall_with_the_lists_it_looks_into(gallery: Gallery, exact: dict[str, float]) -> None:
    found, _ = measure("faiss:IVF8,Flat", gallery, exact)
    recalls = [point.recall["10"] or 0 for point in found.curve]
    assert [point.setting for point in found.curve] == ["nprobe=1", "nprobe=2", "nprobe=4", "nprobe=8"]
    assert recalls == sorted(recalls)
    assert recalls[0] < 90
    assert recalls[-1] == 100
    assert found.setting == next(point.setting for point in found.curve if (point.recall["10"] or 0) >= ENOUGH)
    assert all(point.p50_ms > 0 for point in found.curve)


def test_what_a_poor_index_costs_is_counted_in_recall(gallery: Gallery, exact: dict[str, float]) -> None:
    found, _ = measure("faiss:PQ1x4", gallery, exact)  # half a byte a picture: 16 different ones
    assert (found.recall["10"] or 0) < 50
    for k in (1, 5, 10):
        through, cost = found.text_to_image[f"R@{k}"], found.cost[f"R@{k}"]
        assert through is not None
        assert cost is not None
        assert cost > 10
        assert through + cost == pytest.approx(exact[f"R@{k}"])


def test_hnsw_has_a_curve(gallery: Gallery, exact: dict[str, float]) -> None:
    found, _ = measure("faiss:HNSW16", gallery, exact)
    assert found.curve[0].setting == "efSearch=10"
    assert (found.curve[-1].recall["10"] or 0) > 99


@pytest.mark.parametrize("kind", ["pq", "rabitq", "ivf", "hnsw"])
def test_kinds_of_collections_have_the_curve_of_their_calibration(
    kind: str, gallery: Gallery, exact: dict[str, float]
) -> None:
    check_kind(kind)
    found, search = measure(kind, gallery, exact)
    assert found.kind == kind
    settings = [point.setting for point in found.curve]
    assert found.setting in settings
    assert all(setting.startswith("probes=" if kind == "ivf" else "fetch=") for setting in settings)
    assert (found.recall["10"] or 0) >= 95
    assert np.asarray(search(gallery.queries[:3])).shape == (3, 10)


def test_without_right_answers_there_is_index_recall_and_no_cost(gallery: Gallery) -> None:
    found, _ = measure("exact", Gallery(gallery.vectors, gallery.queries, None), {})
    assert found.recall["10"]
    assert found.text_to_image == found.cost == {}


def test_equal_vectors_do_not_count_as_missed() -> None:
    """Which ten of forty equal pictures an index returns is no fault of it."""
    vectors = np.repeat(np.eye(2, dtype=np.float32), 40, axis=0)
    found, _ = measure("faiss:HNSW8", Gallery(vectors, np.eye(2, dtype=np.float32), None), {})
    assert found.curve[-1].recall == {"10": 100.0, "100": None}


def test_short_results_are_misses_not_pictures() -> None:
    """IVF pads with -1 where its lists hold fewer than asked for."""
    vectors = _unit(np.random.default_rng(1).standard_normal((40, 8)))
    found, _ = measure("faiss:IVF20,Flat", Gallery(vectors, vectors, np.arange(40)), {"R@10": 100.0})
    assert (found.curve[0].recall["10"] or 0) < 60


@pytest.mark.parametrize(
    "kind", ["", "auto", "tree", "exact:", "exact:x", "pq:", "ivf:x", "faiss", "faiss:", "faiss:Bogus7", "milvus:x"]
)
def test_a_kind_that_cannot_be_is_refused(kind: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_kind(kind)
    assert "\n" not in str(caught.value)


def test_too_few_vectors_to_train_with_are_one_line() -> None:
    with pytest.raises(InvalidRequest, match=r"'faiss:IVF64,Flat' cannot be built over 10 vectors: Number of training"):
        build("faiss:IVF64,Flat", np.eye(10, dtype=np.float32))
