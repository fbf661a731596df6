"""Two orders of the same images made one: by what they show, and by the words that are known about them.

Reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009): an image gets 1 / (60 + rank) from each order that has it
among its first. What lies behind the first of both goes on in the order of meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, VectorIndex, Vectors
from indexer.vectors.segmented import among
from search.rankings import Ranking, Window

Route = Literal["meaning", "words"]

K = 60
MEANT = 200
"""Ranks by meaning that count."""
SAID = 1000
"""Ranks by words."""


@dataclass(frozen=True, eq=False)
class Fused:
    """A ranking whose first hits stand by both orders. Settled by the first window that is asked for."""

    meaning: Ranking
    said: Window
    """Found by words, best first."""

    def window(self, start: int, end: int) -> Window:
        """See `Ranking`."""
        head = self._head
        if end <= len(head.ids):
            return head.cut(start, end)
        behind = self.meaning.window(MEANT, MEANT + end - len(head.ids) + len(self.said.ids))
        keep = ~among(behind.ids, np.sort(self.said.ids))
        assert head.scores is not None
        assert behind.scores is not None
        ids = np.concatenate([head.ids, behind.ids[keep]])
        return Window(ids, np.concatenate([head.scores, behind.scores[keep]])).cut(start, end)

    def routes(self, ids: Ids) -> list[tuple[Route, ...]]:
        """Which orders each is among the first of; what is behind both was found by meaning."""
        by_words, by_meaning = (among(ids, np.sort(window.ids)) for window in (self.said, self._meant))
        named: dict[tuple[bool, bool], tuple[Route, ...]] = {
            (True, True): ("meaning", "words"),
            (False, True): ("words",),
        }
        pairs = zip(by_meaning.tolist(), by_words.tolist(), strict=True)
        return [named.get(pair, ("meaning",)) for pair in pairs]

    def levels(self, ids: Ids) -> list[float | None]:
        """Of each the best score from its place on, which falls from hit to hit; None behind the first of both."""
        head = self._head
        assert head.scores is not None
        from_here = np.maximum.accumulate(np.append(head.scores, self._last_meant)[::-1])[::-1]
        level = dict(zip(head.ids.tolist(), from_here.tolist(), strict=False))
        return [level.get(id_) for id_ in ids.tolist()]

    @property
    def _last_meant(self) -> np.float32:
        """No score is better behind."""
        scores = self._meant.scores
        return scores[-1] if scores is not None and len(scores) == MEANT else np.float32(-1)

    @cached_property
    def _meant(self) -> Window:
        return self.meaning.window(0, MEANT)

    @cached_property
    def _head(self) -> Window:
        meant, said = self._meant, self.said
        ids = np.concatenate([meant.ids, said.ids])
        assert meant.scores is not None
        assert said.scores is not None
        scores = np.concatenate([meant.scores, said.scores])
        points = np.concatenate([_points(len(meant.ids)), _points(len(said.ids))])
        every, first, place = np.unique(ids, return_index=True, return_inverse=True)
        total = np.bincount(place, points, len(every))
        order = np.lexsort((every, -scores[first], -total))
        return Window(every[order], scores[first][order])


def by_words(
    index: VectorIndex, vector: NDArray[np.float32], ids: Ids, weights: NDArray[np.float64], allowed: Ids | None
) -> Window:
    """The first `SAID` of them that the index has: by weight and, of the same weight, the nearest first.

    Words say little of which of two images is the better one, so ties are many. `ids` and `allowed` are ascending.
    """
    if allowed is not None:
        keep = among(ids, allowed)
        ids, weights = ids[keep], weights[keep]
    found: list[Ids] = []
    scores: list[Vectors] = []
    left = SAID
    for weight in np.unique(np.round(weights, 9))[::-1]:  # sums of the same words in another order
        [match] = index.search(vector[None], left, ids[np.round(weights, 9) == weight])
        found.append(match.ids)
        scores.append(match.scores)
        left -= len(match.ids)
        if left <= 0:
            break
    if not found:
        return Window(np.empty(0, np.int64), np.empty(0, np.float32))
    return Window(np.concatenate(found), np.concatenate(scores))


def _points(ranks: int) -> NDArray[np.float64]:
    return 1 / (K + np.arange(1, ranks + 1))
