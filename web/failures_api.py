"""JSON routes of what could not be indexed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.failures import StoredFailure
from web.collections import ServicesDep
from web.problems import documented, printable
from web.schemas import examples

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

_REASON: Final = "damaged or truncated picture (Premature end of JPEG file)"
_FILE: Final = {
    "id": 3,
    "path": "/home/ada/Pictures/beach.jpg",
    "root": "/home/ada/Pictures",
    "reason": _REASON,
    "since": "2026-05-11T17:42:08Z",
}


class ReasonOut(BaseModel):
    reason: str = Field(description="without its numbers; `/api/failures/files` takes it")
    failures: int


class FailingRootOut(BaseModel):
    path: str = Field(description="a job of kind `index` on it tries again")
    kind: str = Field(description="of the source, as of `roots` in /api/stats")
    failures: int


class FailuresResponse(BaseModel):
    model_config = examples(
        {
            "failures": 5,
            "reasons": [{"reason": _REASON, "failures": 5}],
            "roots": [{"path": "/home/ada/Pictures", "kind": "folder", "failures": 5}],
        }
    )

    failures: int
    reasons: list[ReasonOut] = Field(description="the most frequent first")
    roots: list[FailingRootOut] = Field(description="what they were met in, that with the most first")


class FailureOut(BaseModel):
    id: int
    path: str
    root: str
    reason: str
    since: datetime = Field(description="when it was first met")

    @classmethod
    def of(cls, failure: StoredFailure) -> FailureOut:
        texts = {name: printable(getattr(failure, name)) for name in ("path", "root", "reason")}
        return cls(id=failure.id, since=failure.since, **texts)


class FailingFilesResponse(BaseModel):
    model_config = examples({"files": [_FILE], "next_after": None})

    files: list[FailureOut]
    next_after: int | None = Field(description="`after` of the next page; null after the last one")


@router.get("/failures", summary="What could not be indexed, by the reason")
def failures(services: ServicesDep) -> FailuresResponse:
    """As the last look at each source found it: what has succeeded since, or is gone, is not in it."""
    known = services.collection.catalog.failures
    kinds = known.kinds()
    return FailuresResponse(
        failures=sum(number for _, number in kinds),
        reasons=[ReasonOut(reason=printable(kind), failures=number) for kind, number in kinds],
        roots=[
            FailingRootOut(path=printable(root), kind=kind, failures=number) for root, kind, number in known.roots()
        ],
    )


@router.get("/failures/files", summary="The files that could not be indexed")
def failing_files(
    services: ServicesDep,
    reason: Annotated[
        str | None, QueryParameter(max_length=200, description="one of /api/failures; all without", examples=[_REASON])
    ] = None,
    after: Annotated[int, QueryParameter(ge=0, le=2**31 - 1, description="the last page's `next_after`")] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="how many", examples=[100])] = 100,
) -> FailingFilesResponse:
    # One more than the page, to know whether another page follows.
    found = services.collection.catalog.failures.some(reason, after=after, limit=limit + 1)
    page = found[:limit]
    return FailingFilesResponse(
        files=[FailureOut.of(one) for one in page], next_after=page[-1].id if len(found) > limit else None
    )
