"""`Relevance`: for a query in words, how likely each hit is to match, and what can be said of the answer as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.vectors import Ids, Mask, Matches, Vectors
from indexer.vectors.segmented import SegmentedIndex, among
from search.query import Query, TextTerm
from search.relevance.background import Seen, Vocabulary
from search.relevance.claim import Claim, claimed
from search.relevance.features import Features, QueryNull, features, of_the_best
from search.relevance.head import HEAD, PRESENT

SAMPLE: Final = 2048
"""Pictures that stand for the collection; smaller ones stand for themselves."""
COUNTED: Final = 100
"""The best so many are judged one by one; how many more match is estimated from the sample."""
DEEPEST: Final = 2000
"""As far down likely hits are looked for where only they are asked for."""
FEWEST: Final = 50
"""Pictures without which nothing is claimed: there is nothing that a match could stand out from."""
_DRIFT = 20  # a collection that has grown or shrunk by a twentieth is sampled again


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Some of a collection, and what the vocabulary says of them."""

    ids: Ids
    """Ascending."""
    vectors: Vectors
    seen: Seen
    size: int
    """Of the collection they were drawn from."""

    def stands_for(self, index: SegmentedIndex) -> bool:
        return abs(len(index) - self.size) <= self.size // _DRIFT


@dataclass(frozen=True, slots=True, eq=False)
class QueryRelevance:
    """What is known of one query in one state of a collection."""

    vector: Vectors
    index: SegmentedIndex
    allowed: Ids | None
    vocabulary: Vocabulary
    others: Mask
    null: QueryNull
    claim: Claim

    def probabilities(self, found: Matches) -> Vectors:
        """`(n,)`: that each picture that a search of that index found is what was asked for."""
        seen = Seen.of(self.index.vectors_of(found.ids), self.vocabulary)
        return HEAD.probabilities(features(found.scores, seen, self.others, self.null))

    def likely(self, least: float) -> Matches:
        """All that match at least so probably, best score first: of the best 2,000."""
        [found] = self.index.search(self.vector[None], DEEPEST, self.allowed)
        keep = self.probabilities(found) >= least
        return Matches(found.ids[keep], found.scores[keep])


class Relevance:
    """Judges the queries of one collection by its own model. Safe to use from any number of threads.

    `vocabulary` gives the embeddings of `VOCABULARY`, `(m, d)`, and is called once, when they are first needed; None
    where they cannot be had: then nothing is claimed.
    """

    def __init__(self, vocabulary: Callable[[], Vectors | None]) -> None:
        self._load = vocabulary
        self._loading = threading.Lock()
        self._vocabulary: Vocabulary | None = None
        self._sample: _Sample | None = None

    def of(
        self, query: Query, vector: Vectors, index: SegmentedIndex, allowed: Ids | None = None
    ) -> QueryRelevance | None:
        """None but for one text: pictures, and sums of several terms, score on scales of their own."""
        if len(query.terms) != 1 or not isinstance(query.terms[0], TextTerm):
            return None
        return self.judge(vector, index, allowed)

    def judge(self, vector: Vectors, index: SegmentedIndex, allowed: Ids | None = None) -> QueryRelevance | None:
        """Of a text's unit vector, `(d,)`; None for fewer than 50 pictures."""
        if len(index) < FEWEST or (vocabulary := self._known()) is None:
            return None
        sample = self._sampled(index, vocabulary)
        others = vocabulary.others(vector)
        scores = sample.vectors @ vector
        null = QueryNull.of(scores)
        some = features(scores, sample.seen, others, null)
        if len(index) <= SAMPLE and allowed is None:
            claim = _claimed(some, some[:0], 1.0, len(index))
        else:
            [best] = index.search(vector[None], COUNTED, allowed)
            seen = Seen.of(index.vectors_of(best.ids), vocabulary)
            rest, size = _rest(sample.ids, best.ids, allowed, len(index))
            scale = size / max(1, int(rest.sum()))
            claim = _claimed(features(best.scores, seen, others, null), some[rest], scale, size + len(best.ids))
        return QueryRelevance(vector, index, allowed, vocabulary, others, null, claim)

    def _known(self) -> Vocabulary | None:
        with self._loading:
            if self._vocabulary is None and (vectors := self._load()) is not None:
                self._vocabulary = Vocabulary.of(vectors)
            return self._vocabulary

    def _sampled(self, index: SegmentedIndex, vocabulary: Vocabulary) -> _Sample:
        sample = self._sample
        if sample is None or not sample.stands_for(index):
            ids, vectors = index.sample(SAMPLE)
            order = np.argsort(ids)
            ids, vectors = ids[order], vectors[order]
            self._sample = sample = _Sample(ids, vectors, Seen.of(vectors, vocabulary), len(index))
        return sample


def _claimed(best: Features, rest: Features, scale: float, size: int) -> Claim:
    """Of the features of the best, and of a sample of all others, each of which stands for `scale` of `size`."""
    [present] = PRESENT.probabilities(of_the_best(np.concatenate([best, rest]), size))
    return claimed(HEAD.probabilities(best), HEAD.probabilities(rest), scale, float(present))


def _rest(sampled: Ids, best: Ids, allowed: Ids | None, size: int) -> tuple[Mask, int]:
    """Which of the sample are among those that may be found and not among the best; and how many such there are."""
    rest = ~among(sampled, np.sort(best))
    if allowed is not None:
        rest &= among(sampled, np.unique(allowed))
        size = len(allowed)
    return rest, max(0, size - len(best))
