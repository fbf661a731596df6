from __future__ import annotations

from datetime import timedelta

from benchmarks.bursts import START, counted
from indexer.duplicates.kinds import Link


def test_pairs_of_two_scenes_are_to_be_left_apart() -> None:
    what = {name: (scene, START + timedelta(seconds=at)) for name, scene, at in (("a", 0, 0), ("b", 0, 1), ("c", 1, 3))}
    values = [line.value for line in counted([Link("a", "b", "burst", 0.9), Link("b", "c", "burst", 0.9)], what)]
    assert values == [1, 100, 100, 2, 50, 50, 0]
    assert counted([Link("a", "b", "same", 0.9)], what)[1].value == 0
