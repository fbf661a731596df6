"""JSON routes of tags: what images are labelled with, from lists and by hand."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.tags.concept_store import Concept
from indexer.tags.concepts import MAX_QUERY
from indexer.tags.labels import MAX_NAME, tag_name
from indexer.tags.store import TagOfImage
from search.query import Feedback
from web.api import ImageId
from web.collections import ServicesDep
from web.problems import documented
from web.schemas import examples
from web.search_schemas import FeedbackIn

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

ConceptName = Annotated[str, PathParameter(min_length=1, max_length=MAX_NAME, description="any words")]

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


class ConceptOut(BaseModel):
    name: str
    query: str = Field(description="empty: by its marks alone")
    right: int = Field(description="how many images were marked right")
    wrong: int

    @classmethod
    def of(cls, concept: Concept) -> ConceptOut:
        return cls(name=concept.name, query=concept.query, right=len(concept.right), wrong=len(concept.wrong))


class ConceptsResponse(BaseModel):
    model_config = examples({"concepts": [{"name": "our dog", "query": "a brown dog", "right": 4, "wrong": 1}]})

    concepts: list[ConceptOut]


class NewConcept(FeedbackIn):
    model_config = examples({"query": "a brown dog", "right": [17, 4], "wrong": [23]})

    query: str = Field(default="", max_length=MAX_QUERY, description="what was looked for; empty: the marks alone")


class ConceptMarks(BaseModel):
    model_config = examples({"name": "our dog", "query": "a brown dog", "right": [17, 4], "wrong": [23]})

    name: str
    query: str = Field(description="empty: by its marks alone")
    right: list[int] = Field(description="ids of the marked images that are there")
    wrong: list[int]


class ConceptRenamed(BaseModel):
    model_config = examples({"name": "Rex"})

    name: str = Field(min_length=1, max_length=MAX_NAME, description="what it is called from now on")


class TaughtConcept(BaseModel):
    model_config = examples({"name": "our dog", "images": 31})

    name: str
    images: int = Field(description="how many have it now; find them by `tag` of a filter")


@router.get("/concepts", summary="What was taught by marks")
def concepts(services: ServicesDep) -> ConceptsResponse:
    return ConceptsResponse(concepts=[ConceptOut.of(one) for one in services.collection.catalog.concepts.all()])


@router.get("/concepts/{name}", summary="A concept with its marks")
def concept(services: ServicesDep, name: ConceptName) -> ConceptMarks:
    """422 if there is none of that name. A search by these marks, saved under its name, teaches it further."""
    known = services.collection.catalog.concepts
    found = known.get(tag_name(name))
    return ConceptMarks(name=found.name, query=found.query, right=known.ids(found.right), wrong=known.ids(found.wrong))


@router.patch("/concepts/{name}", summary="Give a concept another name", responses=documented(400, 403))
def rename(services: ServicesDep, name: ConceptName, wanted: ConceptRenamed) -> ConceptsResponse:
    """Images keep what they have of it."""
    services.collection.catalog.concepts.rename(tag_name(name), tag_name(wanted.name))
    return concepts(services)


@router.put("/concepts/{name}", summary="Teach a concept by marked images", responses=documented(400, 403, 404))
def teach(services: ServicesDep, name: ConceptName, wanted: NewConcept) -> TaughtConcept:
    """In the place of one of that name. Its images are tagged by it at once, and new ones when they are indexed."""
    marks = Feedback(tuple(wanted.right), tuple(wanted.wrong))
    return TaughtConcept(name=tag_name(name), images=services.serving.engine.teach(name, wanted.query, marks))


@router.delete("/concepts/{name}", summary="Forget a concept", responses=documented(403))
def forget(services: ServicesDep, name: ConceptName) -> ConceptsResponse:
    """With the tags that images have of it."""
    services.collection.catalog.concepts.remove(tag_name(name))
    return concepts(services)


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


@router.post("/images/{image_id}/tags", summary="Tag an image by hand", responses=documented(400, 403, 404))
def tag_image(services: ServicesDep, image_id: ImageId, said: TagsByHand) -> ImageTags:
    """What is removed no list gives to it again, until it is added."""
    catalog = services.collection.catalog
    catalog.get(image_id)
    catalog.tags.set_own([image_id], add=said.add, remove=said.remove)
    return image_tags(services, image_id)
