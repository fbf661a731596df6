"""`SearchEngine`: a query in, ranked hits out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.catalog import Catalog, ImageRecord
from indexer.collection import Collection
from indexer.encoder import Embeddings, Encoder
from indexer.errors import InvalidQuery
from indexer.images import Limits
from indexer.tags.concepts import save
from indexer.tags.feedback import Marks, Moments, marks_part, sampled
from indexer.vectors import Ids
from indexer.vectors.segmented import SegmentedIndex, among
from search.collapsing import Collapsed
from search.combination import combined, shares
from search.cursors import Cursors, KeptSearch
from search.embedding import QueryEmbedder
from search.facets import Facets, facets_of
from search.heat_map import HeatMaps, Vector
from search.query import DEFAULT_K, MAX_OFFSET, Feedback, Query, Sort, TextTerm, check_page
from search.rankings import Begun, ByScore, Listed, Window
from search.relevance.claim import Claim
from search.relevance.relevance import COUNTED, Relevance
from search.relevance.vocabulary import VOCABULARY
from search.selections import LISTED, Selections
from search.timeline import Timeline, timeline_of
from search.words.fusion import MEANT, Route
from search.words.matches import WordMatch
from search.words.route import Why, by_both

QUERY_BATCH = 64
"""Queries encoded and searched at once: large enough for BLAS, small enough to stream."""
NOT_KNOWN = (
    "how likely hits are is known for texts alone, all of them wanted, sorted by score, among 50 images or more; leave "
    "out --likely, or min_probability"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result; `rank` counts from 1."""

    rank: int
    score: float | None
    """The cosine between query and image, -1 to 1; None where nothing was looked for."""
    image: ImageRecord
    shares: tuple[float, ...] = ()
    """What each term of the query, in its order, and then its marks, give to the score or take: they add up to it."""
    behind: int = 0
    """How many more images of its group of duplicates there are; 0 unless the query collapses them."""
    probability: float | None = None
    """That the image is what was asked for, 0 to 1; None where nothing is claimed (docs/relevance.md)."""
    routes: tuple[Route, ...] = ()
    """What found it: what it shows, the words that are known about it, or both; empty where nothing was looked for."""
    words: tuple[WordMatch, ...] = ()
    """Where those words stand."""
    level: float | None = None
    """Where words brought hits forward, the best score from here on: what it counts beside hits of other lists."""


@dataclass(frozen=True, slots=True)
class Results:
    """A page of hits, best first, and what it was taken from."""

    hits: tuple[Hit, ...]
    offset: int
    """How many ranks come before the page."""
    images: int
    """How many images the collection held."""
    more: bool
    """Whether there are hits after this page."""
    seconds: float
    """Wall time of encoding, search and join."""
    cursor: str | None = None
    """For `SearchEngine.next_page`; None after the last page, and for queries that were asked many at once."""
    matched: int | None = None
    """How many images pass the filter; None without one."""
    facets: Facets | None = None
    """Counts of all that pass the filter or, with terms, of the best `among` of them; if they were asked for."""
    timeline: Timeline | None = None
    """The same by months; if it was asked for."""
    claim: Claim | None = None
    """About how many images match; None where it was not asked for, and where nothing is claimed."""


class SearchEngine:
    """Answers queries over one collection. Safe to use from any number of threads.

    The encoder must be the collection's own: raises `ModelMismatch` otherwise.
    """

    def __init__(self, collection: Collection, encoder: Encoder, limits: Limits | None = None) -> None:
        collection.check_model(encoder.manifest)
        self._collection, self._encoder = collection, encoder
        self._embedder = QueryEmbedder(collection, encoder, limits or Limits())
        self._selections = Selections(collection.catalog)
        self._moments: tuple[SegmentedIndex, Moments] | None = None  # of the index as it was searched last
        self._cursors: Cursors[KeptSearch] = Cursors()
        self._relevance = Relevance(lambda: collection.kept_texts("vocabulary", VOCABULARY, encoder))
        self.heat_maps = HeatMaps(encoder, collection.manifest, limits)

    def embed(self, query: Query) -> Vector:
        """The query's unit vector `(dimension,)`. Raises as `search`."""
        [vectors] = self._embedder.embed([query])
        return _sum(_parts(query, vectors))

    @property
    def collection(self) -> Collection:
        return self._collection

    def search(
        self, query: Query, allowed: Ids | None = None, *, facets: bool = False, timeline: bool = False
    ) -> Results:
        """The query's page; with `allowed` (ascending ids), of those images only.

        Raises `InvalidQuery`, `ImageNotFound`, and `UnreadableImage` for a picture that cannot be decoded.
        """
        started = time.perf_counter()
        [vectors] = self._embedder.embed([query])
        kept = self._prepared(query, vectors, self._collection.snapshot(), allowed)
        results = self._page(kept, query.offset, query.k, started, partial(self._cursors.keep, kept))
        if not facets and not timeline:
            return results
        return self._counted(query, kept, allowed, results, facets=facets, timeline=timeline)

    def next_page(self, cursor: str, k: int = DEFAULT_K) -> Results:
        """The `k` hits after the page that the cursor came with, of the collection as it was then.

        What has been removed since is left out and its rank stays empty. Raises `CursorExpired` for a search that is
        not kept any more, and `InvalidQuery` for a k out of range.
        """
        started = time.perf_counter()
        page = self._cursors.find(cursor)
        check_page(k, page.offset)
        return self._page(page.search, page.offset, k, started, page.cursor)

    def teach(self, concept: str, query: str, feedback: Feedback) -> int:
        """Save a query with its marks as a concept, and tag the collection by it; returns how many images have it.

        Raises as `concepts.save`.
        """
        return save(self._collection, self._encoder, concept, query, feedback.right, feedback.wrong)

    def search_many(self, queries: Sequence[Query]) -> list[Results]:
        """Results in the order of the queries; texts and pictures are encoded in batches of `QUERY_BATCH` queries."""
        results: list[Results] = []
        for start in range(0, len(queries), QUERY_BATCH):
            results += self._search_batch(queries[start : start + QUERY_BATCH])
        return results

    def _prepared(self, query: Query, vectors: Embeddings, index: SegmentedIndex, allowed: Ids | None) -> KeptSearch:
        """The search of a query whose terms have those vectors."""
        search = self._ranked(query, vectors, index, allowed)
        if not query.collapse:
            return search
        return replace(search, ranking=Collapsed(search.ranking, self._collection.catalog.duplicates.shown))

    def _ranked(self, query: Query, vectors: Embeddings, index: SegmentedIndex, allowed: Ids | None) -> KeptSearch:
        if not query.terms:
            return self._listing(query, index, allowed)
        matched = None
        if query.filter is not None:
            passing = self._selections.ids(query.filter)
            allowed = passing if allowed is None else np.intersect1d(allowed, passing, assume_unique=True)
            matched = len(allowed)
        parts = _parts(query, vectors)
        if query.feedback is not None:
            parts = self._taught(parts, query.feedback, index)
            shown = index.ids() if allowed is None else allowed
            allowed = np.setdiff1d(shown, np.array(query.feedback.wrong, np.int64), assume_unique=True)
        vector = _sum(parts)
        search = KeptSearch(index, ByScore(index, vector, allowed), parts, matched)
        if query.relevance or query.min_probability:
            search = self._judged(query, search, index, allowed)
        if found := by_both(self._collection.catalog, query, search.ranking, index, vector, allowed):
            search = replace(search, ranking=found.ranking, words=found)
        if query.order != "score":
            search = replace(search, ranking=self._sorted(search.ranking.window(0, query.among), query.order))
        return search

    def _judged(self, query: Query, search: KeptSearch, index: SegmentedIndex, allowed: Ids | None) -> KeptSearch:
        """With what is known of how likely its hits are, if anything is."""
        relevance = None
        if search.parts is not None and self._relevance.judges(query):
            page = query.offset + query.k + 1
            ranking = Begun.of(search.ranking, max(COUNTED, 2 * page if query.collapse else page))
            relevance = self._relevance.judge(_sum(search.parts), index, ranking.first, allowed)
            search = replace(search, ranking=ranking, relevance=relevance)
        if not query.min_probability:
            return search
        if relevance is None:
            raise InvalidQuery(NOT_KNOWN)
        return replace(search, ranking=relevance.likely(search.ranking, query.min_probability))

    def _taught(self, parts: Embeddings, feedback: Feedback, index: SegmentedIndex) -> Embeddings:
        """With one part more: what the marks add. Raises `ImageNotFound`."""
        if self._moments is None or self._moments[0] is not index:
            self._moments = index, Moments.of(sampled(index))
        right, wrong = (
            np.array([self._collection.vector(id_) for id_ in ids], np.float32).reshape(len(ids), parts.shape[1])
            for ids in (dict.fromkeys(feedback.right), dict.fromkeys(feedback.wrong))
        )
        marks = Marks(right, wrong, np.array(list(dict.fromkeys(feedback.wrong)), np.int64))
        taught = np.vstack([parts, marks_part(_sum(parts), marks, index, self._moments[1])])
        return np.asarray(taught / np.linalg.norm(_sum(taught)), np.float32)

    def _listing(self, query: Query, index: SegmentedIndex, allowed: Ids | None) -> KeptSearch:
        """What passes a filter, where nothing is looked for."""
        assert query.filter is not None
        ids = self._selections.listed(query.filter, query.order)
        if allowed is None:
            return KeptSearch(index, Listed(ids), None, self._selections.count(query.filter))
        ids = ids[among(ids, allowed)]
        return KeptSearch(index, Listed(ids), None, len(ids))

    def _sorted(self, best: Window, order: Sort) -> Listed:
        """The best hits by something else than their scores, which they keep."""
        ids = self._selections.sorted(best.ids, order)
        places = np.argsort(best.ids)
        scores = None if best.scores is None else best.scores[places[np.searchsorted(best.ids[places], ids)]]
        return Listed(ids, scores)

    def _counted(
        self, query: Query, search: KeptSearch, allowed: Ids | None, results: Results, *, facets: bool, timeline: bool
    ) -> Results:
        """With what was asked for: of a listing by the database, else of the records of the best hits."""
        listing, catalog = search.parts is None, self._collection.catalog
        if listing and allowed is None and query.filter is not None:
            return replace(
                results,
                facets=self._selections.facets(query.filter) if facets else None,
                timeline=self._selections.timeline(query.filter) if timeline else None,
            )
        ids = search.ranking.window(0, LISTED if listing else query.among).ids
        records = catalog.get_many(ids.tolist()).values()
        return replace(
            results,
            facets=facets_of(records, catalog) if facets else None,
            timeline=timeline_of(records) if timeline else None,
        )

    def _page(
        self,
        search: KeptSearch,
        offset: int,
        k: int,
        started: float,
        cursor: Callable[[int], str],
    ) -> Results:
        following = offset + k
        # One more than the page, to know whether another page follows.
        found = search.ranking.window(offset, following + 1)
        more = len(found.ids) > k
        hits = self._hits(found.cut(0, k), offset, search)
        return Results(
            hits=hits,
            offset=offset,
            images=len(search.index),
            more=more,
            seconds=time.perf_counter() - started,
            cursor=cursor(following) if more and following <= MAX_OFFSET else None,
            matched=search.matched,
            claim=search.relevance.claim if search.relevance else None,
        )

    def _hits(self, found: Window, offset: int, search: KeptSearch) -> tuple[Hit, ...]:
        """An image removed between vector search and join has no record: it is left out, its rank stays empty."""
        catalog = self._collection.catalog
        records = catalog.get_many(found.ids.tolist())
        ids, count = found.ids.tolist(), len(found.ids)
        why = _why(found, search, records, catalog)
        scores = [None] * count if found.scores is None else found.scores.tolist()
        behind = found.behind or (0,) * count
        parts = zip(ids, scores, self._shares(found, search), behind, _likely(found, search), why, strict=True)
        return tuple(
            Hit(
                rank,
                score,
                records[id_],
                tuple(given),
                more,
                likely if "meaning" in why.routes else None,
                why.routes,
                why.words,
                why.level,
            )
            for rank, (id_, score, given, more, likely, why) in enumerate(parts, offset + 1)
            if id_ in records
        )

    def _shares(self, found: Window, search: KeptSearch) -> Sequence[Sequence[float]]:
        """Of each hit, what each term gives to its score."""
        if search.parts is None or found.scores is None:
            return [()] * len(found.ids)
        if len(search.parts) == 1:
            return [(score,) for score in found.scores.tolist()]
        given: list[list[float]] = shares(search.parts, search.index.vectors_of(found.ids)).tolist()
        return given

    def _search_batch(self, queries: Sequence[Query]) -> list[Results]:
        """All queries that only look for something, in one pass over the vectors."""
        started = time.perf_counter()
        index = self._collection.snapshot()
        searches = [
            self._prepared(query, vectors, index, None)
            for query, vectors in zip(queries, self._embedder.embed(queries), strict=True)
        ]
        wanted = 1 + max(query.offset + query.k for query in queries)
        if any(search.words for search in searches):
            wanted = max(wanted, MEANT)
        plain = [place for place, search in enumerate(searches) if search.is_nearest(wanted)]
        vectors = [_sum(parts) for place in plain if (parts := searches[place].parts) is not None]
        matches = index.search(np.stack(vectors), wanted) if vectors else []
        for place, match in zip(plain, matches, strict=True):
            searches[place] = searches[place].with_nearest(Listed(match.ids, match.scores))
        seconds = (time.perf_counter() - started) / len(queries)
        return [
            replace(self._page(search, query.offset, query.k, started, lambda _: ""), seconds=seconds, cursor=None)
            for query, search in zip(queries, searches, strict=True)
        ]


def _likely(found: Window, search: KeptSearch) -> Sequence[float | None]:
    """Of each hit, the probability that it is what was asked for."""
    if search.relevance is None or found.scores is None:
        return [None] * len(found.ids)
    likely: list[float] = search.relevance.probabilities(found.ids, found.scores).tolist()
    return likely


def _why(found: Window, search: KeptSearch, records: Mapping[int, ImageRecord], catalog: Catalog) -> Sequence[Why]:
    """Of each hit, which routes found it."""
    if search.words is None:
        return [Why(("meaning",) if search.parts is not None else ())] * len(found.ids)
    return search.words.why(found.ids, records, catalog)


def _parts(query: Query, vectors: Embeddings) -> Embeddings:
    weights = np.array([term.weight for term in query.terms], np.float32)
    return combined(vectors, weights, np.array([isinstance(term, TextTerm) for term in query.terms]))


def _sum(parts: Embeddings) -> NDArray[np.float32]:
    """`(dimension,)`, unit length but for rounding."""
    vector: NDArray[np.float32] = parts.sum(axis=0)
    return vector
