"""The second route of a search: by words. What it finds is fused with what was found by meaning, and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, ImageRecord
from indexer.vectors import Ids
from indexer.vectors.segmented import SegmentedIndex
from search.query import Query, TextTerm
from search.rankings import Ranking
from search.words.finding import find
from search.words.fusion import Fused, Route, by_words
from search.words.matches import WordMatch, matches


@dataclass(frozen=True, slots=True, eq=False)
class Why:
    """Why an image is among the hits."""

    routes: tuple[Route, ...]
    words: tuple[WordMatch, ...] = ()
    level: float | None = None
    """The best score from there on, where words brought hits forward."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundByWords:
    """What the second route adds to one search."""

    ranking: Fused
    words: tuple[str, ...]
    """That were asked for, folded."""
    tags: Mapping[str, Ids]
    """The images found that have a tag that was asked for."""

    def with_meaning(self, meaning: Ranking) -> FoundByWords:
        """Fused with the same order that is known by now."""
        return replace(self, ranking=Fused(meaning, self.ranking.said))

    def why(self, ids: Ids, records: Mapping[int, ImageRecord], catalog: Catalog) -> list[Why]:
        """Of each hit. One that was found by meaning alone may have a word, too, but not enough of them."""
        routes = self.ranking.routes(ids)
        by_words = [id_ for id_, found in zip(ids.tolist(), routes, strict=True) if "words" in found and id_ in records]
        texts = catalog.texts(by_words)
        said = {id_: matches(self.words, records[id_].path, texts.get(id_, ()), self._tags(id_)) for id_ in by_words}
        found = zip(ids.tolist(), routes, self.ranking.levels(ids), strict=True)
        return [Why(routes, said.get(id_, ()), level) for id_, routes, level in found]

    def _tags(self, id: int) -> Sequence[str]:
        return [tag for tag, ids in self.tags.items() if id in ids]


def by_both(
    catalog: Catalog,
    query: Query,
    meaning: Ranking,
    index: SegmentedIndex,
    vector: NDArray[np.float32],
    allowed: Ids | None,
) -> FoundByWords | None:
    """The meaning's ranking with what is found by the query's words; None where that is nothing."""
    if not query.searches_words:
        return None
    unwanted = [term.text for term in query.terms if isinstance(term, TextTerm) and term.weight < 0]
    found = find(catalog.words, len(index), query.wanted_texts, unwanted)
    if found is None:
        return None
    said = by_words(index, vector, found.ids, found.weights, allowed)
    if not len(said.ids):
        return None
    tags = {tag: np.intersect1d(ids, said.ids) for tag, ids in found.tags.items()}
    return FoundByWords(Fused(meaning, said), found.words, tags)
