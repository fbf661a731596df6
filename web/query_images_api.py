"""JSON routes of pictures that people search with: sent before the search, as any number of them can be in one."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, Field

from indexer.errors import CollectionUnavailable
from web import uploads
from web.api import IMMUTABLE, pictures, unless_known
from web.collections import CollectionsDep, ServicesDep
from web.problems import documented
from web.schemas import HASH_EXAMPLE, examples
from web.search_schemas import HASH
from web.uploads import QueryImages, read_picture

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "the picture's bytes, of any format that is indexed",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = APIRouter(prefix="/api", responses=documented(404, 422, 503))


class KeptPicture(BaseModel):
    model_config = examples({"query_image": HASH_EXAMPLE})

    query_image: str = Field(description="its name, for the fields of that name in a search")


@router.post(
    "/query-images",
    summary="Send a picture to search with later",
    responses=documented(400, 403, 413, 415),
    openapi_extra=BODY,
)
async def keep_query_image(request: Request, collections: CollectionsDep) -> KeptPicture:
    """Its bytes are the body. For searches with several pictures, and with parts of pictures."""
    shared = collections.main
    picture = await read_picture(request, shared.settings.upload_limits.max_bytes)
    name = await to_thread.run_sync(_keep, shared.query_images, picture, limiter=shared.upload_slots)
    if name is None:
        raise CollectionUnavailable(str(shared.settings.library), "the picture cannot be kept")
    return KeptPicture(query_image=name)


def _keep(kept: QueryImages, picture: bytes) -> str | None:
    return kept.keep(picture).name


@router.get(
    "/query-images/{name}",
    summary="A picture that was sent to search with",
    response_class=Response,
    responses=pictures(uploads.MEDIA_TYPE) | documented(404),
)
def query_image(
    request: Request,
    services: ServicesDep,
    name: Annotated[str, PathParameter(pattern=f"^{HASH}$", examples=[HASH_EXAMPLE])],
) -> Response:
    """Scaled down to 768 px. The newest 500 are kept."""
    data = services.query_images.read(name)
    headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{name}"'}
    return unless_known(request, Response(data, media_type=uploads.MEDIA_TYPE, headers=headers))
