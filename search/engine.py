"""`SearchEngine`: a query in, ranked hits out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import ImageRecord
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.images import Limits
from indexer.vectors import Ids, Matches
from search.collapsing import Collapsed, search_collapsed
from search.cursors import Cursors, KeptSearch
from search.embedding import QueryEmbedder
from search.query import DEFAULT_K, MAX_K, MAX_OFFSET, Query, check_page

QUERY_BATCH = 64
"""Queries encoded and searched at once: large enough for BLAS, small enough to stream."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. `score` is the cosine between query and image, -1 to 1; `rank` counts from 1."""

    rank: int
    score: float
    image: ImageRecord
    behind: int = 0
    """How many more images of its group of duplicates there are; 0 unless the query collapses them."""


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


class SearchEngine:
    """Answers queries over one collection. Safe to use from any number of threads.

    The encoder must be the collection's own: raises `ModelMismatch` otherwise.
    """

    def __init__(self, collection: Collection, encoder: Encoder, limits: Limits | None = None) -> None:
        collection.check_model(encoder.manifest)
        self._collection = collection
        self._embedder = QueryEmbedder(collection, encoder, limits or Limits())
        self._cursors = Cursors()

    def search(self, query: Query, allowed: Ids | None = None) -> Results:
        """The query's page; with `allowed` (ascending ids), of those images only.

        Raises `InvalidQuery`, `ImageNotFound`, and `UnreadableImage` for a picture that cannot be decoded.
        """
        started = time.perf_counter()
        [vector] = self._embedder.embed([query])
        kept = KeptSearch(self._collection.snapshot(), vector, allowed, query.collapse)
        return self._page(kept, query.offset, query.k, started, lambda offset: self._cursors.keep(kept, offset))

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

    def _page(
        self, search: KeptSearch, offset: int, k: int, started: float, cursor: Callable[[int], str | None]
    ) -> Results:
        following = offset + k
        found = self._found(search, following + 1)  # one more than the page, to know whether another page follows
        page = _window(found.matches, offset, k)
        records = self._collection.catalog.get_many(page.ids.tolist())
        more = len(found.behind) > following
        return Results(
            hits=_hits(page, offset, records, found.behind[offset:]),
            offset=offset,
            images=len(search.index),
            more=more,
            seconds=time.perf_counter() - started,
            cursor=cursor(following) if more and following <= MAX_OFFSET else None,
        )

    def _alone(self, query: Query, vector: NDArray[np.float32]) -> Results:
        """One of many queries, which needs a search of its own."""
        kept = KeptSearch(self._collection.snapshot(), vector, None, query.collapse)
        return self._page(kept, query.offset, query.k, time.perf_counter(), lambda offset: None)

    def _found(self, search: KeptSearch, wanted: int) -> Collapsed:
        """The first `wanted` hits, duplicates collapsed if the search does."""

        def nearest(k: int) -> Matches:
            [match] = search.index.search(search.vector[None], k, search.allowed)
            return match

        if not search.collapse:
            return Collapsed.nothing(nearest(wanted))
        return search_collapsed(nearest, self._collection.catalog.duplicates.shown, wanted, MAX_OFFSET + MAX_K + 1)

    def _search_batch(self, queries: Sequence[Query]) -> list[Results]:
        started = time.perf_counter()
        vectors = self._embedder.embed(queries)
        if any(query.collapse for query in queries):
            return [self._alone(query, vector) for query, vector in zip(queries, vectors, strict=True)]
        wanted = max(query.offset + query.k for query in queries) + 1
        index = self._collection.snapshot()
        matches = index.search(vectors, wanted)
        pages = [_window(match, query.offset, query.k) for match, query in zip(matches, queries, strict=True)]
        records = self._collection.catalog.get_many(sorted({int(i) for page in pages for i in page.ids}))
        seconds = (time.perf_counter() - started) / len(queries)
        return [
            Results(
                hits=_hits(page, query.offset, records),
                offset=query.offset,
                images=len(index),
                more=len(match.ids) > query.offset + query.k,
                seconds=seconds,
            )
            for query, match, page in zip(queries, matches, pages, strict=True)
        ]


def _window(match: Matches, offset: int, k: int) -> Matches:
    window = slice(offset, offset + k)
    return Matches(ids=match.ids[window], scores=match.scores[window])


def _hits(
    page: Matches, offset: int, records: Mapping[int, ImageRecord], behind: Iterable[int] = repeat(0)
) -> tuple[Hit, ...]:
    """An image removed between the vector search and the join has no record: it is left out, its rank stays empty."""
    ranked = enumerate(zip(page.ids.tolist(), page.scores.tolist(), behind, strict=False), start=offset + 1)
    return tuple(
        Hit(rank, score, records[image_id], more) for rank, (image_id, score, more) in ranked if image_id in records
    )
