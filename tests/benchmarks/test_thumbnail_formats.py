from __future__ import annotations

import pytest

from benchmarks.thumbnail_formats import WAYS, cost
from tests.pictures import photo


@pytest.mark.parametrize("way", WAYS)
def test_what_a_way_costs(way: str) -> None:
    kilobytes, encoding, decoding, likeness = cost(photo(160, 120), *WAYS[way])
    assert 0 < kilobytes < 160 * 120 * 3 / 1e3
    assert encoding > 0
    assert decoding > 0
    assert 0.7 < likeness < 1
