"""Hits of one picture become one: the best of them stands for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.duplicates.library import Shown
from indexer.vectors import Matches


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Matches of which no two are of one group, in their order."""

    matches: Matches
    behind: tuple[int, ...]
    """Of each, how many more images of its group the collection holds."""

    @classmethod
    def nothing(cls, matches: Matches) -> Collapsed:
        """As they are."""
        return cls(matches, (0,) * len(matches.ids))


def collapsed(matches: Matches, shown: Mapping[int, Shown]) -> Collapsed:
    """The first match of each group; what is not in `shown` stands for itself.

    More matches never change the first ones: the collapsed results of a longer search begin with those of a shorter.
    """
    seen: set[str] = set()
    rows, behind = [], []
    for row, image_id in enumerate(matches.ids.tolist()):
        found = shown.get(image_id) or Shown(f"image {image_id}", 1)
        if found.key not in seen:
            seen.add(found.key)
            rows.append(row)
            behind.append(found.images - 1)
    chosen = np.array(rows, np.intp)
    return Collapsed(Matches(matches.ids[chosen], matches.scores[chosen]), tuple(behind))


def search_collapsed(
    search: Callable[[int], Matches],
    shown: Callable[[Sequence[int]], Mapping[int, Shown]],
    wanted: int,
    most: int,
) -> Collapsed:
    """`wanted` collapsed matches, if there are so many: twice as many are searched for until there are.

    `search` gives so many matches; more than `most` are never asked for.
    """
    fetch = min(2 * wanted, most)
    while True:
        matches = search(fetch)
        found = collapsed(matches, shown(matches.ids.tolist()))
        if len(found.behind) >= wanted or len(matches.ids) < fetch or fetch >= most:
            return Collapsed(Matches(found.matches.ids[:wanted], found.matches.scores[:wanted]), found.behind[:wanted])
        fetch = min(2 * fetch, most)
