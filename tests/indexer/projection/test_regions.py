from __future__ import annotations

import numpy as np

from indexer.projection.regions import Region, name_regions

RNG = np.random.default_rng(0)


def test_each_region_is_called_by_what_sets_it_apart() -> None:
    heaps = np.array([(0, 0), (10, 0), (0, 10)], np.float32)
    points = (heaps.repeat(20, axis=0) + RNG.normal(0, 0.1, (60, 2))).astype(np.float32)
    texts = np.eye(6, dtype=np.float32)
    # All show something of the last name, which therefore names nothing.
    vectors = (texts[:3].repeat(20, axis=0) + 2 * texts[5]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = name_regions(points, vectors, ["cat", "dog", "car", "tree", "sea", "photo"], texts)
    assert (
        sorted((region.name, region.images) for region in found if region.level == 0)
        == [
            ("car", 20),
            ("cat", 20),
            ("dog", 20),
        ]
        or len(found) > 3
    )
    for region in found:
        nearest = int(np.argmin(((heaps - (region.x, region.y)) ** 2).sum(axis=1)))
        if region.images == 20:
            assert region.name == ("cat", "dog", "car")[nearest]


def test_few_pictures_have_no_regions_and_more_have_more_levels() -> None:
    def levels(count: int) -> list[int]:
        points = RNG.normal(0, 1, (count, 2)).astype(np.float32)
        vectors = RNG.normal(0, 1, (count, 8)).astype(np.float32)
        names = [f"name {number}" for number in range(200)]
        found: list[Region] = name_regions(points, vectors, names, RNG.normal(0, 1, (200, 8)).astype(np.float32))
        for level in {region.level for region in found}:
            called = [region.name for region in found if region.level == level]
            assert len(called) == len(set(called))
            assert sum(region.images for region in found if region.level == level) == count
        return sorted({region.level for region in found})

    assert levels(20) == []
    assert levels(60) == [0]
    assert levels(300) == [0, 1]
    assert levels(600) == [0, 1, 2]
