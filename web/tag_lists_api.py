"""JSON routes of the lists of labels, and of what a tag looks like."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.errors import InvalidRequest
from indexer.tags.labels import EVERYDAY, MAX_NAME, list_name, read_labels, shipped_labels, tag_name, write_labels
from indexer.tags.store import CONCEPTS
from indexer.tags.tagging import add_list
from web.collections import ServicesDep
from web.problems import documented
from web.schemas import IMAGE_EXAMPLE, ImageOut, examples

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

MAX_TEXT: Final = 1 << 20
ListName = Annotated[str, PathParameter(min_length=1, max_length=64, examples=["birds"])]

_TEXT: Final = "heron\nowl: barn owl, tawny owl | 0.2\n"


class LabelListText(BaseModel):
    model_config = examples({"name": "birds", "labels": 2, "text": _TEXT})

    name: str
    labels: int
    text: str = Field(description="a label a line, as docs/tags.md has it")


class LabelListGone(BaseModel):
    model_config = examples({"name": "birds", "state": "removed"})

    name: str
    state: Literal["removed"]


class NewLabelList(BaseModel):
    model_config = examples({"text": _TEXT})

    text: str | None = Field(
        default=None, max_length=MAX_TEXT, description="a label a line; null for the list that ships, `everyday`"
    )


class TagExamples(BaseModel):
    model_config = examples({"images": [IMAGE_EXAMPLE]})

    images: list[ImageOut] = Field(description="the likeliest first")


@router.get("/tag-lists/{name}", summary="A list of labels, as it is written")
def label_list(services: ServicesDep, name: ListName) -> LabelListText:
    """422 if there is none of that name."""
    called = list_name(name)
    labels = services.collection.catalog.tags.labels_of(called)
    return LabelListText(name=called, labels=len(labels), text=write_labels(labels))


@router.put("/tag-lists/{name}", summary="Give the collection a list of labels", responses=documented(400, 403))
def put_label_list(services: ServicesDep, name: ListName, wanted: NewLabelList) -> LabelListText:
    """In the place of one of that name. Images are tagged by it when a job of kind `tag` has run: begin one."""
    called = list_name(name)
    if called == CONCEPTS or (called == EVERYDAY) != (wanted.text is None):
        raise InvalidRequest(
            f"{EVERYDAY!r} is the list that ships and takes no text of yours, {CONCEPTS!r} is what marks teach; "
            "give another list its labels, a line each"
        )
    labels = shipped_labels() if wanted.text is None else read_labels(wanted.text)
    add_list(services.collection.catalog.tags, called, labels)
    return label_list(services, called)


@router.delete("/tag-lists/{name}", summary="Forget a list of labels", responses=documented(403))
def forget_label_list(services: ServicesDep, name: ListName) -> LabelListGone:
    """With the tags that images have of it. Of concepts each is forgotten by itself."""
    called = list_name(name)
    if called == CONCEPTS:
        raise InvalidRequest(f"{CONCEPTS!r} is what marks teach; forget each concept by itself")
    services.collection.catalog.tags.remove_list(called)
    return LabelListGone(name=called, state="removed")


@router.get("/tag-examples", summary="Images that a tag fits best")
def tag_examples(
    services: ServicesDep,
    tag: Annotated[str, QueryParameter(min_length=1, max_length=MAX_NAME, examples=["beach"])],
    limit: Annotated[int, QueryParameter(ge=1, le=40, description="how many", examples=[4])] = 4,
) -> TagExamples:
    """Those that have it by a list, then those that have it by hand."""
    catalog = services.collection.catalog
    found = catalog.get_many(ids := catalog.tags.best(tag_name(tag), limit))
    return TagExamples(images=[ImageOut.of(found[id_], services.name) for id_ in ids if id_ in found])
