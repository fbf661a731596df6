"""JSON routes of duplicates: groups page by page, and what people decide of them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.duplicates.kinds import Kind
from indexer.duplicates.library import MOST_APART, DuplicateGroup
from web.api import ImageId
from web.collections import ServicesDep
from web.problems import documented
from web.schemas import IMAGE_EXAMPLE, ImageOut, examples

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

MAX_GROUPS: Final = 200
_MAX_GROUP: Final = 2**31 - 1
_MAX_ID: Final = 2**53 - 1  # beyond it JSON's numbers are not exact

_LINK: Final = {"first": 17, "second": 23, "class": "crop", "confidence": 0.962}
_DUPLICATE: Final[dict[str, Any]] = {**IMAGE_EXAMPLE, "keep": True, "decided": False}
_GROUP: Final[dict[str, Any]] = {
    "id": 5,
    "class": "crop",
    "confidence": 0.962,
    "images": [_DUPLICATE, {**_DUPLICATE, "id": 23, "path": "/home/ada/Pictures/beach-2.jpg", "keep": False}],
    "links": [_LINK],
}


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


class GroupOut(BaseModel):
    model_config = examples(_GROUP)

    id: int
    kind: Kind = Field(alias="class", description="of its loosest link; identical: the same bytes")
    confidence: float = Field(description="of its least sure link")
    images: list[DuplicateOut] = Field(description="those to keep first")
    links: list[LinkOut]

    @classmethod
    def of(cls, group: DuplicateGroup) -> GroupOut:
        oldest: dict[str, int] = {}
        for image in sorted((member.image for member in group.members), key=lambda image: image.id):
            oldest.setdefault(image.content_hash, image.id)
        ends = {tuple(sorted((oldest[link.first], oldest[link.second]))): link for link in group.links}
        links = [
            {"first": first, "second": second, "class": link.kind, "confidence": link.confidence}
            for (first, second), link in sorted(ends.items(), key=lambda end: end[0])
        ]
        images = [
            DuplicateOut(**ImageOut.of(member.image).model_dump(), keep=member.keep, decided=member.decided)
            for member in group.members
        ]
        fields = {"id": group.id, "class": group.kind, "confidence": group.confidence, "images": images, "links": links}
        return cls.model_validate(fields)


class DuplicatesResponse(BaseModel):
    model_config = examples({"groups": [_GROUP], "next_after": 5})

    groups: list[GroupOut]
    next_after: int | None = Field(description="`after` of the next page; null after the last one")


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


Decision = Annotated[Keep | SetApart, Field(discriminator="decision")]


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
    level: Annotated[
        Kind, QueryParameter(alias="class", description="groups by links of that class and closer; look-alikes alone")
    ] = "burst",
    after: Annotated[
        int, QueryParameter(ge=0, le=_MAX_GROUP, description="only groups above: the last page's `next_after`")
    ] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_GROUPS, description="how many groups")] = 40,
) -> DuplicatesResponse:
    """`sightline duplicates`, or its job `deduplicate`, finds them."""
    # One more than the page, to know whether another page follows.
    found = services.collection.catalog.duplicates.groups(level, after=after, limit=limit + 1)
    page = found[:limit]
    return DuplicatesResponse(
        groups=[GroupOut.of(group) for group in page], next_after=page[-1].id if len(found) > limit else None
    )


@router.get(
    "/images/{image_id}/duplicates", summary="The groups of duplicates that an image is in", responses=documented(404)
)
def duplicates_of(
    services: ServicesDep,
    image_id: ImageId,
    level: Annotated[Kind, QueryParameter(alias="class", description="as of all groups")] = "burst",
) -> DuplicatesOfImage:
    """As the last run found them: none, or one; of look-alikes there may be several."""
    known = services.collection.catalog.duplicates
    return DuplicatesOfImage(
        groups=[GroupOut.of(group) for group in known.groups_of([image_id], level)],
        images=[ImageOut.of(record, services.name) for record in known.collapsed_with(image_id)],
    )


@router.post(
    "/duplicates/decisions", summary="Say what is no duplicate, or is kept", responses=documented(400, 403, 404)
)
def decide(services: ServicesDep, decision: Decision) -> GroupsResponse:
    """Remembered by the bytes of the images, wherever they move. The groups follow at once, and every later run."""
    known = services.collection.catalog.duplicates
    if decision.decision == "keep":
        known.keep(decision.images, undo=decision.undo)
    else:
        known.set_apart(decision.images, undo=decision.undo)
    return GroupsResponse(groups=[GroupOut.of(group) for group in known.groups_of(decision.images)])
