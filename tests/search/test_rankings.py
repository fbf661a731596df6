"""Orders of hits, and what of them is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from search.rankings import Begun, Listed, Window


@dataclass
class Counted:
    """A ranking that counts how often it is asked."""

    ranking: Listed
    asked: list[tuple[int, int]] = field(default_factory=list)

    def window(self, start: int, end: int) -> Window:
        self.asked.append((start, end))
        return self.ranking.window(start, end)


def test_what_is_known_is_not_looked_for_again() -> None:
    counted = Counted(Listed(np.arange(20), np.linspace(1, 0, 20, dtype=np.float32)))
    begun = Begun.of(counted, 10)
    assert begun.window(2, 10).ids.tolist() == list(range(2, 10))
    assert begun.first.ids.tolist() == list(range(10))
    assert counted.asked == [(0, 10)]
    assert begun.window(5, 15).ids.tolist() == list(range(5, 15))
    assert counted.asked == [(0, 10), (5, 15)]
