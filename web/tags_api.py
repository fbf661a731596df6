"""JSON routes of tags: what images are labelled with, from lists and by hand."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.tags.store import TagOfImage
from web.api import ImageId
from web.collections import ServicesDep
from web.problems import documented
from web.schemas import examples

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

_TAGS: Final[dict[str, Any]] = {
    "tags": [
        {"name": "holiday", "list": None, "score": None},
        {"name": "beach", "list": "everyday", "score": 0.62},
    ]
}


class LabelListOut(BaseModel):
    name: str
    labels: int


class TagCountOut(BaseModel):
    name: str
    images: int


class TagsResponse(BaseModel):
    model_config = examples(
        {"lists": [{"name": "everyday", "labels": 1039}], "tags": [{"name": "beach", "images": 214}]}
    )

    lists: list[LabelListOut] = Field(description="what `tag` of a filter takes for any of its labels, too")
    tags: list[TagCountOut] = Field(description="those with the most images first, from lists and by hand")


class TagOut(BaseModel):
    name: str
    list: str | None = Field(description="null: by hand")
    score: float | None = Field(description="0 to 1, how likely it is; null by hand")

    @classmethod
    def of(cls, tag: TagOfImage) -> TagOut:
        return cls(name=tag.name, list=tag.list, score=tag.score)


class ImageTags(BaseModel):
    model_config = examples(_TAGS)

    tags: list[TagOut] = Field(description="those by hand first, then the likeliest")


class TagsByHand(BaseModel):
    model_config = examples({"add": ["holiday"], "remove": ["beach"]})

    add: list[str] = Field(default=[], max_length=100, description="they stay with the picture, and with its copies")
    remove: list[str] = Field(default=[], max_length=100, description="no list gives them to the picture again")


@router.get("/tags", summary="The tags of the collection, and how many images have them")
def tags(
    services: ServicesDep,
    limit: Annotated[int, QueryParameter(ge=1, le=10_000, description="how many", examples=[50])] = 200,
) -> TagsResponse:
    found = services.collection.catalog.tags
    return TagsResponse(
        lists=[LabelListOut(name=one.name, labels=one.labels) for one in found.lists() if one.shown],
        tags=[TagCountOut(name=name, images=number) for name, number in found.counts(most=limit)],
    )


@router.get("/images/{image_id}/tags", summary="The tags of an image", responses=documented(404))
def image_tags(services: ServicesDep, image_id: ImageId) -> ImageTags:
    catalog = services.collection.catalog
    catalog.get(image_id)
    return ImageTags(tags=[TagOut.of(tag) for tag in catalog.tags.of_image(image_id)])


@router.post("/images/{image_id}/tags", summary="Tag an image by hand", responses=documented(403, 404))
def tag_image(services: ServicesDep, image_id: ImageId, said: TagsByHand) -> ImageTags:
    """What is removed no list gives to it again, until it is added."""
    catalog = services.collection.catalog
    catalog.get(image_id)
    catalog.tags.set_own([image_id], add=said.add, remove=said.remove)
    return image_tags(services, image_id)
