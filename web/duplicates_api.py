"""JSON routes of duplicates: groups page by page, and what people decide of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi import Query as QueryParameter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from indexer.duplicates.finding import JOB
from indexer.duplicates.kinds import Kind
from indexer.duplicates.library import MOST_APART, DuplicateGroup, Member, other_files
from indexer.jobs.store import KEPT
from web.api import ImageId
from web.collections import ServicesDep
from web.problems import documented
from web.schemas import IMAGE_EXAMPLE, ImageOut, examples
from web.services import Services

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

MAX_GROUPS: Final = 200
_MAX_GROUP: Final = 2**31 - 1
_MAX_ID: Final = 2**53 - 1  # beyond it JSON's numbers are not exact

_LINK: Final = {"first": 17, "second": 23, "class": "crop", "confidence": 0.962}
_DUPLICATE: Final[dict[str, Any]] = {**IMAGE_EXAMPLE, "keep": True, "decided": False, "copy_of": None}
_GROUP: Final[dict[str, Any]] = {
    "id": 5,
    "class": "crop",
    "confidence": 0.962,
    "images": [_DUPLICATE, {**_DUPLICATE, "id": 23, "path": "/home/ada/Pictures/beach-2.jpg", "keep": False}],
    "links": [_LINK],
}

_COUNTS: Final = {"identical": 12, "same": 31, "crop": 4, "burst": 9, "look-alike": 57}
_PATHS: Final = {"type": "string", "examples": ["/home/ada/Pictures/beach-2.jpg\n"]}


class LinkOut(BaseModel):
    model_config = examples(_LINK)

    first: int = Field(description="id of an image; of copies with the same bytes the oldest")
    second: int
    kind: Kind = Field(alias="class", description="what the two are of each other")
    confidence: float = Field(description="0 to 1: correlation of the pixels, or cosine of the embeddings")


class DuplicateOut(ImageOut):
    model_config = examples(_DUPLICATE)

    keep: bool = Field(description="whether it is to be kept: decided, or the best where nobody decided")
    decided: bool = Field(description="whether somebody said so")
    copy_of: int | None = Field(
        description="id of the oldest image of the group with the same bytes; null for that one"
    )


class GroupOut(BaseModel):
    model_config = examples(_GROUP)

    id: int
    kind: Kind = Field(alias="class", description="of its loosest link; identical: the same bytes")
    confidence: float = Field(description="of its least sure link")
    images: list[DuplicateOut] = Field(description="those to keep first")
    links: list[LinkOut]

    @classmethod
    def of(cls, group: DuplicateGroup, collection: str | None) -> GroupOut:
        oldest: dict[str, int] = {}
        for image in sorted((member.image for member in group.members), key=lambda image: image.id):
            oldest.setdefault(image.content_hash, image.id)
        ends = {tuple(sorted((oldest[link.first], oldest[link.second]))): link for link in group.links}
        links = [
            {"first": first, "second": second, "class": link.kind, "confidence": link.confidence}
            for (first, second), link in sorted(ends.items(), key=lambda end: end[0])
        ]
        images = [_member(member, oldest[member.image.content_hash], collection) for member in group.members]
        fields = {"id": group.id, "class": group.kind, "confidence": group.confidence, "images": images, "links": links}
        return cls.model_validate(fields)


def _member(member: Member, oldest: int, collection: str | None) -> DuplicateOut:
    return DuplicateOut(
        **ImageOut.of(member.image, collection).model_dump(),
        keep=member.keep,
        decided=member.decided,
        copy_of=oldest if oldest != member.image.id else None,
    )


class DuplicatesResponse(BaseModel):
    model_config = examples({"groups": [_GROUP], "next_after": 5})

    groups: list[GroupOut]
    next_after: int | None = Field(description="`after` of the next page; null after the last one")


class ClassCounts(BaseModel):
    """Groups whose own class that is."""

    identical: int = 0
    same: int = 0
    crop: int = 0
    burst: int = 0
    look_alike: int = Field(default=0, alias="look-alike")

    @classmethod
    def of(cls, counts: Mapping[Kind, int]) -> ClassCounts:
        return cls.model_validate(counts)


class SummaryResponse(BaseModel):
    model_config = examples({"groups": _COUNTS, "undecided": _COUNTS, "looked_at": "2026-05-11T17:42:08Z"})

    groups: ClassCounts
    undecided: ClassCounts = Field(description="of these, those of which nobody has said what to keep")
    looked_at: datetime | None = Field(description="when the last run ended; null before the first")


class _Decision(BaseModel):
    images: list[Annotated[int, Field(ge=0, le=_MAX_ID)]] = Field(
        min_length=1, max_length=MOST_APART, description="ids", json_schema_extra={"uniqueItems": True}
    )
    undo: bool = Field(default=False, description="take it back")


class Keep(_Decision):
    """These images are to be kept."""

    model_config = examples({"decision": "keep", "images": [17]})

    decision: Literal["keep"]


class SetApart(_Decision):
    """These images are no duplicates of each other."""

    model_config = examples({"decision": "apart", "images": [17, 23], "undo": False})

    decision: Literal["apart"]
    images: list[Annotated[int, Field(ge=0, le=_MAX_ID)]] = Field(
        min_length=2, max_length=MOST_APART, description="ids", json_schema_extra={"uniqueItems": True}
    )


class SetOutside(_Decision):
    """These images are no duplicates of the others; what these are of each other stays."""

    model_config = examples({"decision": "outside", "images": [17], "others": [23, 42]})

    decision: Literal["outside"]
    images: list[Annotated[int, Field(ge=0, le=_MAX_ID)]] = Field(
        min_length=1, max_length=1, description="the id of one"
    )
    others: list[Annotated[int, Field(ge=0, le=_MAX_ID)]] = Field(
        min_length=1, max_length=MOST_APART - 1, description="ids", json_schema_extra={"uniqueItems": True}
    )


Decision = Annotated[Keep | SetApart | SetOutside, Field(discriminator="decision")]
Level = Annotated[
    Kind, QueryParameter(alias="class", description="groups by links of that class and closer; look-alikes alone")
]
Only = Annotated[Kind | None, QueryParameter(description="of these groups those whose own class that is")]


class GroupsResponse(BaseModel):
    model_config = examples({"groups": [_GROUP]})

    groups: list[GroupOut] = Field(description="that these images are in now")


class DuplicatesOfImage(GroupsResponse):
    model_config = examples({"groups": [_GROUP], "images": [IMAGE_EXAMPLE, {**IMAGE_EXAMPLE, "id": 23}]})

    images: list[ImageOut] = Field(
        description="what a search collapses to one: its group, or the files with the same bytes, itself among them"
    )


@router.get("/duplicates", summary="Groups of duplicates, as the last run found them")
def duplicates(
    services: ServicesDep,
    level: Level = "burst",
    only: Only = None,
    undecided: Annotated[bool, QueryParameter(description="those of which nobody has said what to keep")] = False,
    after: Annotated[
        int, QueryParameter(ge=0, le=_MAX_GROUP, description="only groups above: the last page's `next_after`")
    ] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_GROUPS, description="how many groups")] = 40,
) -> DuplicatesResponse:
    """`sightline duplicates`, or its job `deduplicate`, finds them."""
    # One more than the page, to know whether another page follows.
    found = services.collection.catalog.duplicates.groups(
        level, after=after, limit=limit + 1, only=only, undecided=undecided
    )
    page = found[:limit]
    return DuplicatesResponse(
        groups=[GroupOut.of(group, services.name) for group in page],
        next_after=page[-1].id if len(found) > limit else None,
    )


@router.get(
    "/images/{image_id}/duplicates", summary="The groups of duplicates that an image is in", responses=documented(404)
)
def duplicates_of(
    services: ServicesDep,
    image_id: ImageId,
    level: Level = "burst",
) -> DuplicatesOfImage:
    """As the last run found them: none, or one; of look-alikes there may be several."""
    return DuplicatesOfImage(
        **_groups_of(services, [image_id], level).model_dump(by_alias=True),
        images=[
            ImageOut.of(record, services.name)
            for record in services.collection.catalog.duplicates.collapsed_with(image_id)
        ],
    )


@router.post(
    "/duplicates/decisions", summary="Say what is no duplicate, or is kept", responses=documented(400, 403, 404)
)
def decide(services: ServicesDep, decision: Decision, level: Level = "burst") -> GroupsResponse:
    """Remembered by the bytes of the images, wherever they move. The groups follow at once, and every later run."""
    known = services.collection.catalog.duplicates
    if isinstance(decision, Keep):
        known.keep(decision.images, undo=decision.undo)
        return _groups_of(services, decision.images, level)
    others = decision.others if isinstance(decision, SetOutside) else None
    known.set_apart(decision.images, others, undo=decision.undo)
    return _groups_of(services, [*decision.images, *(others or ())], level)


def _groups_of(services: Services, images: Sequence[int], level: Kind) -> GroupsResponse:
    found = services.collection.catalog.duplicates.groups_of(images, level)
    return GroupsResponse(groups=[GroupOut.of(group, services.name) for group in found])


@router.get("/duplicates/summary", summary="How many groups of duplicates there are of each class")
def summary(services: ServicesDep) -> SummaryResponse:
    """As the last run found them, and people divided them since."""
    catalog = services.collection.catalog
    known = catalog.duplicates
    runs = (job for job in catalog.jobs.all(KEPT) if job.kind == JOB and job.state == "done")
    return SummaryResponse(
        groups=ClassCounts.of(known.counts("burst") | known.counts("look-alike")),
        undecided=ClassCounts.of(known.counts("burst", undecided=True) | known.counts("look-alike", undecided=True)),
        looked_at=next((job.ended_at for job in runs), None),
    )


@router.get(
    "/duplicates/others",
    summary="The files beside those to keep, as a list for a script",
    response_class=StreamingResponse,
    responses={200: {"description": "Paths", "content": {"text/plain": {"schema": _PATHS}}}},
)
def others(
    services: ServicesDep,
    level: Level = "same",
    only: Only = None,
    null: Annotated[bool, QueryParameter(description="end each path with a NUL byte, not a line feed")] = False,
) -> StreamingResponse:
    """Nothing is deleted: that is for people to do. What lies in archives, lists and videos is left out."""
    groups = services.collection.catalog.duplicates.all_groups(level, only=only)
    headers = {"Content-Disposition": 'attachment; filename="others.txt"', "Cache-Control": "no-store"}
    lines = (b"".join(path + (b"\0" if null else b"\n") for path in other_files(group)) for group in groups)
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)
