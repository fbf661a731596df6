"""`SearchEngine`: a query in, ranked hits out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import ImageRecord
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import InvalidQuery
from indexer.images import Limits
from indexer.vectors import Ids, Matches
from indexer.vectors.segmented import SegmentedIndex
from search.cursors import Cursors, KeptSearch
from search.embedding import QueryEmbedder
from search.query import DEFAULT_K, MAX_OFFSET, Query, check_page
from search.relevance.claim import Claim
from search.relevance.relevance import COUNTED, QueryRelevance, Relevance
from search.relevance.vocabulary import VOCABULARY

QUERY_BATCH = 64
"""Queries encoded and searched at once: large enough for BLAS, small enough to stream."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. `score` is the cosine between query and image, -1 to 1; `rank` counts from 1, among all."""

    rank: int
    score: float
    image: ImageRecord
    probability: float | None = None
    """That the image is what was asked for, 0 to 1; None where nothing is claimed (docs/relevance.md)."""


@dataclass(frozen=True, slots=True)
class Results:
    """A page of hits, best first, and what it was taken from."""

    hits: tuple[Hit, ...]
    offset: int
    """How many ranks come before the page."""
    images: int
    """How many images were searched: all that the collection held."""
    more: bool
    """Whether there are hits after this page."""
    seconds: float
    """Wall time of encoding, search and join."""
    cursor: str | None = None
    """For `SearchEngine.next_page`; None after the last page, and for queries that were asked many at once."""
    claim: Claim | None = None
    """How many images match; None where nothing is claimed: of pictures, and of text and picture together."""


class SearchEngine:
    """Answers queries over one collection. Safe to use from any number of threads.

    The encoder must be the collection's own: raises `ModelMismatch` otherwise.
    """

    def __init__(self, collection: Collection, encoder: Encoder, limits: Limits | None = None) -> None:
        collection.check_model(encoder.manifest)
        self._collection = collection
        self._embedder = QueryEmbedder(collection, encoder, limits or Limits())
        self._cursors = Cursors()
        self._relevance = Relevance(lambda: collection.kept_texts("vocabulary", VOCABULARY, encoder))

    def search(self, query: Query, allowed: Ids | None = None) -> Results:
        """The query's page; with `allowed` (ascending ids), of those images only.

        Raises `InvalidQuery`, `ImageNotFound`, and `UnreadableImage` for a picture that cannot be decoded.
        """
        started = time.perf_counter()
        [vector] = self._embedder.embed([query])
        index = self._collection.snapshot()
        [found] = index.search(vector[None], max(query.offset + query.k + 1, COUNTED), allowed)
        kept = self._begun(query, vector, index, found, allowed)
        return self._page(kept, query.offset, query.k, started, lambda offset: self._cursors.keep(kept, offset), found)

    def next_page(self, cursor: str, k: int = DEFAULT_K) -> Results:
        """The `k` hits after the page that the cursor came with, of the collection as it was then.

        What has been removed since is left out and its rank stays empty. Raises `CursorExpired` for a search that is
        not kept any more, and `InvalidQuery` for a k out of range.
        """
        started = time.perf_counter()
        page = self._cursors.find(cursor)
        check_page(k, page.offset)
        return self._page(page.search, page.offset, k, started, page.cursor)

    def search_many(self, queries: Sequence[Query]) -> list[Results]:
        """Results in the order of the queries; texts and pictures are encoded in batches of `QUERY_BATCH` queries."""
        results: list[Results] = []
        for start in range(0, len(queries), QUERY_BATCH):
            results += self._search_batch(queries[start : start + QUERY_BATCH])
        return results

    def _begun(
        self, query: Query, vector: NDArray[np.float32], index: SegmentedIndex, found: Matches, allowed: Ids | None
    ) -> KeptSearch:
        relevance = self._relevance.of(query, vector, index, found, allowed)
        if not query.min_probability:
            return KeptSearch(index, vector, allowed, relevance)
        if relevance is None:
            raise InvalidQuery(
                "how likely hits are is known for queries in words alone, among 50 images or more; leave out --likely "
                "or the least probability"
            )
        return KeptSearch(index, vector, allowed, relevance, relevance.likely(query.min_probability))

    def _page(
        self,
        search: KeptSearch,
        offset: int,
        k: int,
        started: float,
        cursor: Callable[[int], str],
        found: Matches | None = None,
    ) -> Results:
        """`found`: what the search's vector finds, as far as the page and one more, where that is known."""
        following = offset + k
        # One more than the page, to know whether another page follows.
        match = found if found is not None and search.likely is None else search.best(following + 1)
        page = _window(match, offset, k)
        records = self._collection.catalog.get_many(page.ids.tolist())
        more = len(match.ids) > following
        return Results(
            hits=_hits(page, offset, records, search.relevance),
            offset=offset,
            images=len(search.index),
            more=more,
            seconds=time.perf_counter() - started,
            cursor=cursor(following) if more and following <= MAX_OFFSET else None,
            claim=search.relevance.claim if search.relevance else None,
        )

    def _search_batch(self, queries: Sequence[Query]) -> list[Results]:
        started = time.perf_counter()
        vectors = self._embedder.embed(queries)
        index = self._collection.snapshot()
        wanted = max(query.offset + query.k for query in queries) + 1
        matches = index.search(vectors, max(wanted, COUNTED))
        searches = [
            self._begun(query, row, index, match, None)
            for query, row, match in zip(queries, vectors, matches, strict=True)
        ]
        for number, search in enumerate(searches):
            if search.likely is not None:
                matches[number] = search.likely
        pages = [_window(match, query.offset, query.k) for match, query in zip(matches, queries, strict=True)]
        records = self._collection.catalog.get_many(sorted({int(i) for page in pages for i in page.ids}))
        seconds = (time.perf_counter() - started) / len(queries)
        return [
            Results(
                hits=_hits(page, query.offset, records, search.relevance),
                offset=query.offset,
                images=len(index),
                more=len(match.ids) > query.offset + query.k,
                seconds=seconds,
                claim=search.relevance.claim if search.relevance else None,
            )
            for query, match, page, search in zip(queries, matches, pages, searches, strict=True)
        ]


def _window(match: Matches, offset: int, k: int) -> Matches:
    window = slice(offset, offset + k)
    return Matches(ids=match.ids[window], scores=match.scores[window])


def _hits(
    page: Matches, offset: int, records: Mapping[int, ImageRecord], relevance: QueryRelevance | None
) -> tuple[Hit, ...]:
    """An image removed between the vector search and the join has no record: it is left out, its rank stays empty."""
    likely = relevance.probabilities(page).tolist() if relevance else [None] * len(page.ids)
    ranked = enumerate(zip(page.ids.tolist(), page.scores.tolist(), likely, strict=True), start=offset + 1)
    return tuple(
        Hit(rank, score, records[image_id], probability)
        for rank, (image_id, score, probability) in ranked
        if image_id in records
    )
