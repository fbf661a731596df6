"""`Relevance`: for a query in words, how likely each hit is to match, and what can be said of the answer as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.vectors import Ids, Mask, Vectors
from indexer.vectors.base import Base
from indexer.vectors.segmented import SegmentedIndex, among
from search.query import Query, TextTerm
from search.rankings import Listed, Ranking, Window
from search.relevance.background import Seen, Vocabulary
from search.relevance.claim import Claim, claimed
from search.relevance.features import Features, QueryNull, features, of_the_best
from search.relevance.head import HEAD, PRESENT

SAMPLE: Final = 2048
"""Pictures that stand for the collection; smaller ones stand for themselves."""
COUNTED: Final = 60
"""The best so many are judged one by one, as many as the page shows; how many more match the sample tells."""
DEEPEST: Final = 2000
"""As far down likely hits are looked for where only they are asked for."""
FEWEST: Final = 50
"""Pictures without which nothing is claimed: there is nothing that a match could stand out from."""
_DRIFT = 20  # of a larger collection a twentieth may change before it is sampled again


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some of a collection, and what the vocabulary says of them."""

    ids: Ids
    """Ascending."""
    vectors: Vectors
    seen: Seen
    base: Base
    changes: int
    """Of the index they were drawn from."""

    def stands_for(self, index: SegmentedIndex) -> bool:
        allowed = len(index) // _DRIFT if len(index) > SAMPLE else 0
        return index.base is self.base and index.changes - self.changes <= allowed


@dataclass(frozen=True, slots=True, eq=False)
class QueryRelevance:
    """What is known of one query in one state of a collection."""

    index: SegmentedIndex
    vocabulary: Vocabulary
    others: Mask
    """Which of the vocabulary say something else than the query."""
    null: QueryNull
    known: Mapping[int, float]
    """Probabilities of pictures that were judged for the claim, by id."""
    claim: Claim

    def probabilities(self, ids: Ids, scores: Vectors) -> Vectors:
        """`(n,)`: that each picture of that index, with its score, is what was asked for."""
        likely = np.array([self.known.get(id_, np.nan) for id_ in ids.tolist()], np.float32)
        late = np.flatnonzero(np.isnan(likely))
        if len(late):
            beside = self.vocabulary.beside(self.index.vectors_of(ids[late]), self.others)
            likely[late] = HEAD.probabilities(features(scores[late], beside, self.null))
        return likely

    def likely(self, ranking: Ranking, least: float) -> Listed:
        """All that match at least so probably, in their order: of the best 2,000."""
        found = ranking.window(0, DEEPEST)
        assert found.scores is not None
        keep = self.probabilities(found.ids, found.scores) >= least
        return Listed(found.ids[keep], found.scores[keep])


class Relevance:
    """Judges the queries of one collection by its own model. Safe to use from any number of threads.

    `vocabulary` gives the embeddings of `VOCABULARY`, `(m, d)`, and is called once, when they are first needed; None
    where they cannot be had: then nothing is claimed.
    """

    def __init__(self, vocabulary: Callable[[], Vectors | None]) -> None:
        self._load = vocabulary
        self._loading = threading.Lock()
        self._vocabulary: Vocabulary | None = None
        self._sample: Sample | None = None

    @staticmethod
    def judges(query: Query) -> bool:
        """Whether it is wanted texts alone, ranked by score; docs/relevance.md says how well it holds of which.

        Pictures score on another scale than words do, and so do words less what is not to be seen, or with marks.
        """
        wanted = all(isinstance(term, TextTerm) and term.weight > 0 for term in query.terms)
        return wanted and query.order == "score" and bool(query.terms) and query.feedback is None

    def judge(
        self, vector: Vectors, index: SegmentedIndex, best: Window, allowed: Ids | None = None
    ) -> QueryRelevance | None:
        """Of a query's unit vector, `(d,)`, and its best `COUNTED` or more; None for fewer than 50 pictures.

        With `allowed`, ascending ids, of these pictures; what they have to stand out from is the whole collection.
        """
        if len(index) < FEWEST or (vocabulary := self._known()) is None:
            return None
        assert best.scores is not None
        sample = self._sampled(index, vocabulary)
        others = vocabulary.others(vector)
        scores = sample.vectors @ vector
        null = QueryNull.of(scores)
        some = features(scores, sample.seen.beside(others), null)
        if len(index) <= SAMPLE:
            found, rest, scale = some, some[:0], 1.0
            if allowed is not None:
                found = some[among(sample.ids, allowed)]
            size = len(found)
            known = dict(zip(sample.ids.tolist(), HEAD.probabilities(some).tolist(), strict=True))
        else:
            ids, top = best.ids[:COUNTED], best.scores[:COUNTED]
            found = features(top, vocabulary.beside(index.vectors_of(ids), others), null)
            sampled, left = _rest(sample.ids, ids, allowed, len(index))
            rest, scale, size = some[sampled], left / max(1, int(sampled.sum())), left + len(ids)
            known = dict(zip(ids.tolist(), HEAD.probabilities(found).tolist(), strict=True))
        return QueryRelevance(index, vocabulary, others, null, known, _claimed(found, rest, scale, size))

    def _known(self) -> Vocabulary | None:
        with self._loading:
            if self._vocabulary is None and (vectors := self._load()) is not None:
                self._vocabulary = Vocabulary.of(vectors)
            return self._vocabulary

    def _sampled(self, index: SegmentedIndex, vocabulary: Vocabulary) -> Sample:
        sample = self._sample
        if sample is None or not sample.stands_for(index):
            every = index.ids()
            ids = np.sort(np.random.default_rng(0).choice(every, min(SAMPLE, len(every)), replace=False))
            vectors = index.vectors_of(ids)
            self._sample = sample = Sample(ids, vectors, Seen.of(vectors, vocabulary), index.base, index.changes)
        return sample


def _claimed(best: Features, rest: Features, scale: float, size: int) -> Claim:
    """Of the features of the best, and of a sample of all others, each of which stands for `scale` of `size`."""
    [present] = PRESENT.probabilities(of_the_best(np.concatenate([best, rest]), size))
    return claimed(HEAD.probabilities(best), HEAD.probabilities(rest), scale, float(present))


def _rest(sampled: Ids, best: Ids, allowed: Ids | None, size: int) -> tuple[Mask, int]:
    """Which of the sample are among those that may be found and not among the best; and how many such there are."""
    rest = ~among(sampled, np.sort(best))
    if allowed is not None:
        rest &= among(sampled, allowed)
        size = len(allowed)
    return rest, max(0, size - len(best))
