"""Each engine at the least effort that is enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.vector_search.comparison import BATCH, compare, sweep
from benchmarks.vector_search.engines import Built, NumPy
from benchmarks.vector_search.generator import Vectors
from benchmarks.vector_search.ours import build_ours
from benchmarks.vector_search.scene import Ints, Scene, make_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(1_000, 32, queries=80)


class Lossy:
    """Finds as many of the best as its effort."""

    name, efforts, exact, hot_bytes = "lossy", (5, 9, 10, 11), False, 1.0

    def __init__(self, scene: Scene) -> None:
        self.all = NumPy(scene, 1)
        self.sizes: set[int] = set()

    def set_effort(self, effort: int) -> None:
        self.effort = effort

    def search(self, queries: Vectors, k: int) -> Sequence[Ints]:
        self.sizes.add(len(queries))
        return [np.asarray(row[: self.effort]) for row in self.all.search(queries, k)]


def test_the_sweep_ends_where_nothing_is_left_to_gain(scene: Scene) -> None:
    points = sweep(scene, Lossy(scene), 0.9)
    assert [(point.effort, round(point.worst, 6)) for point in points] == [(5, 0.5), (9, 0.9), (10, 1.0)]
    assert all(point.seconds > 0 for point in points)


def test_the_least_effort_that_reaches_the_target(scene: Scene) -> None:
    lossy = Lossy(scene)
    rows = compare(scene, {"lossy": Built(lossy, 2.5)}, target=0.85, rounds=2)
    row = rows["lossy"]
    assert not isinstance(row, str)
    assert (row.effort, row.build_seconds, row.hot_bytes) == (9, 2.5, 1.0)
    assert row.recalls["image", 10] == pytest.approx(0.9)
    assert row.recalls["text", 100] == pytest.approx(0.09)
    assert lossy.sizes == {1, BATCH}


def test_ours_beside_a_peer(scene: Scene) -> None:
    engines = {"Sightline": build_ours(scene, "auto", 0.99, 1), "numpy": Built(NumPy(scene, 1), 0.0)}
    rows = compare(scene, engines, target=0.99, rounds=2, unbatched=["numpy"])
    ours, numpy = rows["Sightline"], rows["numpy"]
    assert not isinstance(ours, str)
    assert not isinstance(numpy, str)
    assert ours.recall10 == numpy.recall10 == 1.0
    assert ours.batch is not None
    assert numpy.batch is None
    assert ours.hot_bytes >= 2 * 32
