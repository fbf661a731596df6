"""Latency, throughput, memory."""

from __future__ import annotations

import numpy as np
import pytest

from search.benchmark import speed
from tests.palette import PaletteEncoder


def test_the_histogram_holds_every_time() -> None:
    times = [0.001] * 90 + [0.002] * 8 + [0.05, 0.2]
    found = speed.summary(times)
    assert found.p50 == pytest.approx(1.0)
    assert 50 < found.p99 <= 200
    assert sum(found.histogram.counts) == 100
    assert len(found.histogram.edges) == len(found.histogram.counts) + 1
    assert found.histogram.edges[0] <= 1.0
    assert found.histogram.edges[-1] >= 200


@pytest.mark.parametrize("times", [[0.001], [0.001] * 5, [0.0, 0.0], [1e-9, 10.0]])
def test_equal_and_extreme_times_have_a_histogram(times: list[float]) -> None:
    found = speed.summary(times).histogram
    assert sum(found.counts) == len(times)
    assert list(found.edges) == sorted(set(found.edges))


def test_single_queries_are_asked_singly_and_often_enough() -> None:
    asked: list[int] = []
    found = speed.time_queries(lambda queries: asked.append(len(queries)), np.eye(3, dtype=np.float32))
    assert set(asked) == {1}
    assert found is not None
    assert sum(found.histogram.counts) >= speed.FEWEST
    assert speed.time_queries(asked.append, np.zeros((0, 3), np.float32)) is None


def test_a_text_is_embedded_and_then_searched_with() -> None:
    encoder, dimensions = PaletteEncoder(), []
    found = speed.time_texts(lambda queries: dimensions.append(queries.shape), ["red", "blue"], encoder)
    assert set(dimensions) == {(1, 64)}
    assert set(encoder.text_batches) == {1}
    assert found is not None
    assert speed.time_texts(dimensions.append, [], encoder) is None


def test_throughput_counts_queries_not_batches() -> None:
    sizes: list[int] = []
    rate = speed.throughput(lambda queries: sizes.append(len(queries)), np.zeros((150, 4), np.float32))
    assert sizes == [64, 64, 64, 22]  # the first to warm up
    assert rate is not None
    assert rate > 0
    assert speed.throughput(sizes.append, np.zeros((0, 4), np.float32)) is None


@pytest.mark.parametrize(
    ("total", "most", "rows"), [(3, 5, [0, 1, 2]), (5, 3, [0, 2, 4]), (0, 3, []), (10, 1, [0]), (4, 4, [0, 1, 2, 3])]
)
def test_spread(total: int, most: int, rows: list[int]) -> None:
    assert speed.spread(total, most) == rows


def test_the_machine_says_what_it_is() -> None:
    found = speed.machine()
    assert found.cpu
    assert found.cores >= 1
    assert found.memory_gb > 0
    assert {"python", "numpy"} <= speed.versions().keys()
    assert (speed.peak_memory_mb() or 0) > 20
