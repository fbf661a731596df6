"""JSON of several collections: which are served, and the hits of those that are searched together."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from indexer.errors import SightlineError
from search.box import Box
from search.several import JointResults
from web.collections import Collections, CollectionsDep
from web.problems import documented, printable
from web.schemas import MAX_OFFSET, HitOut, QueryOut, SearchResponse, UnansweredOut, examples
from web.search_schemas import ChipOut

router: Final = APIRouter(prefix="/api", responses=documented(503))


class CollectionOut(BaseModel):
    name: str
    images: int | None = Field(description="null if it cannot be used")
    model: str | None = Field(description="that answers its searches")
    problem: str | None = Field(description="why it cannot be used; it is tried again now and then")


class CollectionsResponse(BaseModel):
    model_config = examples(
        {
            "collections": [
                {"name": "Pictures", "images": 1000, "model": "mini", "problem": None},
                {"name": "Scans", "images": None, "model": None, "problem": "no collection in '/media/ada/Scans'; ..."},
            ]
        }
    )

    collections: list[CollectionOut] = Field(
        description="in the order in which they were given; the first is meant where none is named"
    )


@router.get("/collections", summary="The collections that are served")
def collections(served: CollectionsDep) -> CollectionsResponse:
    return CollectionsResponse(collections=[_described(served, name) for name in served.names])


def joint_answer(results: JointResults, query: QueryOut | None = None, box: Box | None = None) -> SearchResponse:
    """What several collections found together."""
    following = results.offset + len(results.hits)
    more = results.more and following <= MAX_OFFSET
    return SearchResponse(
        hits=[HitOut.of_hit(found.hit, found.collection) for found in results.hits],
        images=results.images,
        seconds=results.seconds,
        next_offset=following if more else None,
        cursor=results.cursor if more else None,
        query=query,
        matched=None,
        meaning=box.meaning if box else None,
        chips=ChipOut.of_box(box) if box else [],
        facets=None,
        joined=results.joined,
        unanswered=[
            UnansweredOut(collection=missing.collection, reason=printable(missing.reason))
            for missing in results.unanswered
        ],
    )


def _described(served: Collections, name: str) -> CollectionOut:
    try:
        collection = served.services(name).collection
        return CollectionOut(
            name=name, images=collection.catalog.count(), model=collection.manifest.model, problem=None
        )
    except SightlineError as error:
        return CollectionOut(name=name, images=None, model=None, problem=printable(str(error)))
