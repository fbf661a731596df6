"""Hits of one picture become one: the best of them stands for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.duplicates.library import Shown
from search.query import MAX_K, MAX_OFFSET
from search.rankings import Ranking, Window

MOST = MAX_OFFSET + MAX_K + 1
"""Hits looked at for one page: as many as a page without duplicates may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Collapsed:
    """A ranking of which no two hits are of one group. More hits never change the first ones."""

    ranking: Ranking
    shown: Callable[[Sequence[int]], Mapping[int, Shown]]
    """The groups that images are of; what is of none need not be there."""
    most: int = MOST

    def window(self, start: int, end: int) -> Window:
        """See `Ranking`: full, if there are so many; twice as many are looked at until it is."""
        fetch = min(2 * end, self.most)
        while True:
            hits = self.ranking.window(0, fetch)
            found = collapsed(hits, self.shown(hits.ids.tolist()))
            if len(found.ids) >= end or len(hits.ids) < fetch or fetch >= self.most:
                return found.cut(start, end)
            fetch = min(2 * fetch, self.most)


def collapsed(hits: Window, shown: Mapping[int, Shown]) -> Window:
    """The first hit of each group; what is not in `shown` stands for itself."""
    seen: set[str] = set()
    rows, behind = [], []
    for row, image_id in enumerate(hits.ids.tolist()):
        found = shown.get(image_id) or Shown(f"image {image_id}", 1)
        if found.key not in seen:
            seen.add(found.key)
            rows.append(row)
            behind.append(found.images - 1)
    chosen = np.array(rows, np.intp)
    return Window(hits.ids[chosen], None if hits.scores is None else hits.scores[chosen], tuple(behind))
