"""`Relevance`: for a query in words, how likely each hit is to match, and what can be said of the answer as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.vectors import Ids, Mask, Matches, Vectors
from indexer.vectors.base import Base
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

    def seen_of(self, ids: Ids, index: SegmentedIndex, vocabulary: Vocabulary) -> Seen:
        """What is known of pictures of the index: from the sample, if it holds them all."""
        if among(ids, self.ids).all():
            return self.seen.at(np.searchsorted(self.ids, ids))
        return Seen.of(index.vectors_of(ids), vocabulary)

    def stands_for(self, index: SegmentedIndex) -> bool:
        allowed = len(index) // _DRIFT if len(index) > SAMPLE else 0
        return index.base is self.base and index.changes - self.changes <= allowed


@dataclass(frozen=True, slots=True, eq=False)
class QueryRelevance:
    """What is known of one query in one state of a collection."""

    vector: Vectors
    index: SegmentedIndex
    allowed: Ids | None
    vocabulary: Vocabulary
    sample: Sample
    others: Mask
    null: QueryNull
    claim: Claim

    def probabilities(self, found: Matches) -> Vectors:
        """`(n,)`: that each picture that a search of that index found is what was asked for."""
        seen = self.sample.seen_of(found.ids, self.index, self.vocabulary)
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
        self._sample: Sample | None = None

    def of(
        self, query: Query, vector: Vectors, index: SegmentedIndex, found: Matches, allowed: Ids | None = None
    ) -> QueryRelevance | None:
        """None but for one text: pictures, and sums of several terms, score on scales of their own."""
        if len(query.terms) != 1 or not isinstance(query.terms[0], TextTerm):
            return None
        return self.judge(vector, index, found, allowed)

    def judge(
        self, vector: Vectors, index: SegmentedIndex, found: Matches, allowed: Ids | None = None
    ) -> QueryRelevance | None:
        """Of a text's unit vector, `(d,)`, and its best `COUNTED` or more; None for fewer than 50 pictures."""
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
            best = Matches(found.ids[:COUNTED], found.scores[:COUNTED])
            seen = sample.seen_of(best.ids, index, vocabulary)
            rest, size = _rest(sample.ids, best.ids, allowed, len(index))
            scale = size / max(1, int(rest.sum()))
            claim = _claimed(features(best.scores, seen, others, null), some[rest], scale, size + len(best.ids))
        return QueryRelevance(vector, index, allowed, vocabulary, sample, others, null, claim)

    def _known(self) -> Vocabulary | None:
        with self._loading:
            if self._vocabulary is None and (vectors := self._load()) is not None:
                self._vocabulary = Vocabulary.of(vectors)
            return self._vocabulary

    def _sampled(self, index: SegmentedIndex, vocabulary: Vocabulary) -> Sample:
        sample = self._sample
        if sample is None or not sample.stands_for(index):
            ids, vectors = index.sample(SAMPLE)
            order = np.argsort(ids)
            ids, vectors = ids[order], vectors[order]
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
        rest &= among(sampled, np.unique(allowed))
        size = len(allowed)
    return rest, max(0, size - len(best))
