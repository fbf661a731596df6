"""Several collections asked at once: each answers by its own model, and their hits become one list.

Cosines of one model are comparable, so collections of the same model give the list that one collection of all their
images would give. Those of different models are not: their lists are joined by rank (reciprocal rank fusion; Cormack,
Clarke and Buettcher, 2009). No image is in two lists, so that comes to: all firsts, then all seconds, and so on.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from indexer.errors import CollectionError, CursorExpired, InvalidQuery, ModelError, SightlineError
from indexer.manifest import Manifest
from search.cursors import Cursors, at_offset
from search.engine import Hit, Results
from search.query import MAX_K, IndexedTerm, Query, check_page

Joined = Literal["score", "rank"]
"""What hits of several collections were put into one order by."""


@dataclass(frozen=True, slots=True)
class SourcedHit:
    """A hit and the collection whose image it is: ids are unique in their collection only."""

    collection: str
    hit: Hit
    """Its `rank` is that among all."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A collection that could not be asked."""

    collection: str
    reason: str


@dataclass(frozen=True, slots=True)
class JointResults:
    """A page of hits of several collections, best first."""

    hits: tuple[SourcedHit, ...]
    offset: int
    images: int
    """How many were searched, in all collections that answered."""
    more: bool
    seconds: float
    joined: Joined
    """`rank` if different models answered: the scores of hits of different collections are not comparable then."""
    unanswered: tuple[Unanswered, ...]
    cursor: str | None
    """For `JointEngine.next_page`; None after the last page."""


@dataclass(frozen=True, slots=True)
class Member:
    """A collection that can be asked, by the model that answers there now."""

    manifest: Manifest
    search: Callable[[Query], Results]
    next_page: Callable[[str, int], Results]


class JointEngine:
    """Asks several collections, each under its name. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._cursors: Cursors[_Search] = Cursors()

    def search(self, members: Mapping[str, Member | SightlineError], query: Query) -> JointResults:
        """Their hits as one list. One that could not be opened, or that cannot answer, is told of in the results.

        Raises what is wrong with the query, and, if none can answer, what is wrong with the first collection.
        """
        started = time.perf_counter()
        _check_joint(query)
        if query.offset + query.k >= MAX_K:
            raise InvalidQuery(f"of several collections the first {MAX_K - 1:,} hits can be had; go on by cursor")
        # Probabilities of several models, or samples, are not comparable: nothing is claimed of hits of several.
        search = _Search.of(members, replace(query, offset=0, k=query.offset + query.k + 1, relevance=False))
        page = search.after(_Place(0, (0,) * len(search.answers)), query.offset)
        return self._page(search, page.behind, query.k, started, self._cursors.keep(search, 0))

    def next_page(self, cursor: str, k: int) -> JointResults:
        """The `k` hits after the page that the cursor came with, of the collections as they were then.

        What has been removed since is left out. Raises `CursorExpired`, and `InvalidQuery` for a k out of range.
        """
        started = time.perf_counter()
        kept = self._cursors.find(cursor)
        check_page(k + 1, kept.offset)
        place = kept.search.places.get(kept.offset)
        if place is None:
            raise CursorExpired
        return self._page(kept.search, place, k, started, cursor)

    def _page(self, search: _Search, place: _Place, k: int, started: float, cursor: str) -> JointResults:
        page = search.after(place, k)
        if page.more:
            search.places[page.behind.offset] = page.behind
        ranked = enumerate(page.hits, place.offset + 1)
        return JointResults(
            hits=tuple(replace(found, hit=replace(found.hit, rank=rank)) for rank, found in ranked),
            offset=place.offset,
            images=sum(answer.first.images for answer in search.answers),
            more=page.more,
            seconds=time.perf_counter() - started,
            joined=search.joined,
            unanswered=(*search.unanswered, *page.lost),
            cursor=at_offset(cursor, page.behind.offset) if page.more else None,
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Between two hits of the joint list."""

    offset: int
    """How many hits come before it."""
    seen: tuple[int, ...]
    """How many ranks of each collection do; that of an image removed since is passed over with those around it."""


@dataclass(frozen=True, slots=True)
class _Page:
    hits: list[SourcedHit]
    behind: _Place
    more: bool
    lost: list[Unanswered]
    """Collections that answered the first page and not this one."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one collection said first, and how to have it say more of the same."""

    collection: str
    manifest: Manifest
    first: Results
    next_page: Callable[[str, int], Results]

    def after(self, seen: int, count: int) -> tuple[Sequence[Hit], bool]:
        """The `count` ranks behind those that were seen, and whether there are hits behind these."""
        first = self.first
        if first.cursor is None or seen + count <= len(first.hits):
            hits = [hit for hit in first.hits if seen < hit.rank <= seen + count]
            return hits, first.more or len(first.hits) > seen + count
        results = self.next_page(at_offset(first.cursor, seen), count)
        return results.hits, results.more


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """A query as the collections answered it first."""

    answers: tuple[_Answer, ...]
    unanswered: tuple[Unanswered, ...]
    groups: tuple[tuple[int, ...], ...]
    """Positions of the answers of one model each, in the order in which the models came."""
    places: dict[int, _Place] = field(default_factory=dict)
    """Where pages begin that a cursor was given for, by offset."""

    @classmethod
    def of(cls, members: Mapping[str, Member | SightlineError], query: Query) -> _Search:
        answers: list[_Answer] = []
        failed: dict[str, SightlineError] = {}
        for name, member in members.items():
            try:
                if isinstance(member, SightlineError):
                    raise member
                answers.append(_Answer(name, member.manifest, member.search(query), member.next_page))
            except (CollectionError, ModelError) as error:
                failed[name] = error
        if not answers:
            raise next(iter(failed.values()))
        unanswered = tuple(Unanswered(name, str(error)) for name, error in failed.items())
        return cls(tuple(answers), unanswered, _by_model(answers))

    @property
    def joined(self) -> Joined:
        return "score" if len(self.groups) == 1 else "rank"

    def after(self, place: _Place, k: int) -> _Page:
        """The next `k` hits."""
        lists: list[Sequence[Hit]] = []
        more, lost = False, []
        for answer, seen in zip(self.answers, place.seen, strict=True):
            try:
                hits, has_more = answer.after(seen, k + 1)
            except CollectionError as error:
                hits, has_more = (), False
                lost.append(Unanswered(answer.collection, str(error)))
            lists.append(hits)
            more = more or has_more
        found = self._in_order(lists, place)
        seen_now = list(place.seen)
        for position, hit in found[:k]:
            seen_now[position] = hit.rank
        sourced = [SourcedHit(self.answers[position].collection, hit) for position, hit in found[:k]]
        behind = _Place(place.offset + len(sourced), tuple(seen_now))
        return _Page(sourced, behind, more or len(found) > k, lost)

    def _in_order(self, lists: Sequence[Sequence[Hit]], place: _Place) -> list[tuple[int, Hit]]:
        """By score within a model, ties as the collections were named; by rank across models, ties likewise.

        What words brought forward stays before what it was brought before.
        """
        placed: list[tuple[int, int, tuple[int, Hit]]] = []
        for number, group in enumerate(self.groups):
            before = sum(place.seen[position] for position in group)
            sourced = ([(position, hit) for hit in lists[position]] for position in group)
            merged = heapq.merge(*sourced, key=lambda found: -_level(found[1]))
            placed += [(before + rank, number, found) for rank, found in enumerate(merged)]
        return [found for _, _, found in sorted(placed, key=lambda entry: entry[:2])]


def _level(hit: Hit) -> float:
    return hit.level if hit.level is not None else hit.score or 0.0


def _check_joint(query: Query) -> None:
    """Raises `InvalidQuery` for what cannot be asked of several collections."""
    if query.order != "score":
        raise InvalidQuery("hits of several collections are sorted by their scores; sort those of one collection")
    if query.min_probability:
        raise InvalidQuery(
            "how likely hits are is known in one collection; name that one, or leave out --likely, or min_probability"
        )
    if query.feedback is not None:
        raise InvalidQuery("marks are of images of one collection; name that one")
    if any(isinstance(term, IndexedTerm) for term in query.terms):
        raise InvalidQuery("the id of an image is of one collection; name that one")


def _by_model(answers: Sequence[_Answer]) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = []
    for position, answer in enumerate(answers):
        same = (group for group in groups if answers[group[0]].manifest.difference(answer.manifest) is None)
        group = next(same, None)
        if group is None:
            groups.append([position])
        else:
            group.append(position)
    return tuple(map(tuple, groups))
