"""The orders that the hits of a query may stand in. Whatever is asked for, what was shown before stays where it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, VectorIndex, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Some hits in a row."""

    ids: Ids
    scores: Vectors | None
    """None where nothing was looked for."""
    behind: tuple[int, ...] | None = None
    """Of each, how many more images of its group of duplicates there are; None where all are shown."""

    def cut(self, start: int, end: int) -> Window:
        scores = None if self.scores is None else self.scores[start:end]
        return Window(self.ids[start:end], scores, None if self.behind is None else self.behind[start:end])


class Ranking(Protocol):
    def window(self, start: int, end: int) -> Window:
        """The hits from `start`, counted from 0, to before `end`; fewer where there are no more."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ByScore:
    """The nearest first."""

    index: VectorIndex
    vector: NDArray[np.float32]
    """`(dimension,)`, unit length."""
    allowed: Ids | None
    """Ascending."""

    def window(self, start: int, end: int) -> Window:
        [match] = self.index.search(self.vector[None], end, self.allowed)
        return Window(match.ids, match.scores).cut(start, end)


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """An order that was settled when the query came."""

    ids: Ids
    scores: Vectors | None = None

    def window(self, start: int, end: int) -> Window:
        return Window(self.ids, self.scores).cut(start, end)


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A ranking of which the first hits are known: they are not looked for again."""

    ranking: Ranking
    first: Window
    end: int
    """So many were asked for."""

    @classmethod
    def of(cls, ranking: Ranking, end: int) -> Begun:
        return cls(ranking, ranking.window(0, end), end)

    def window(self, start: int, end: int) -> Window:
        return self.first.cut(start, end) if end <= self.end else self.ranking.window(start, end)
