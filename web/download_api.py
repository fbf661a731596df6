"""The JSON and form route of originals as one ZIP."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from indexer.errors import ImageNotFound
from indexer.moving.zipped import zipped
from search.libraries import NAME
from search.query import MAX_ID
from web.collections import CollectionsDep, known
from web.problems import documented
from web.schemas import examples
from web.uploads import invalid, limited

router: Final = APIRouter(prefix="/api")

MEDIA_TYPE: Final = "application/zip"
MOST: Final = 1_000
_BODY_BYTES: Final = 64 * 1024
_FILE: Final = "sightline.zip"


class DownloadRequest(BaseModel):
    """Images, by id; in a form `ids=17,23` or several fields `ids`."""

    model_config = examples({"ids": [17, 23]})

    ids: list[Annotated[int, Field(ge=0, le=MAX_ID)]] = Field(min_length=1, max_length=MOST)
    collection: str | None = Field(default=None, pattern=f"^{NAME}$", description="the first by default")


def _body() -> dict[str, Any]:
    schema = DownloadRequest.model_json_schema()
    form = {
        "type": "object",
        "required": ["ids"],
        "properties": {"ids": {"type": "string", "pattern": r"^\d{1,9}(,\d{1,9}){0,99}$"}},
        "additionalProperties": False,
    }
    content = {
        "application/json": {"schema": schema},
        "application/x-www-form-urlencoded": {"schema": form, "example": {"ids": "17,23"}},
    }
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/download",
    summary="Originals as one ZIP",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The ZIP", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
        **documented(400, 403, 404, 413, 415, 422, 503),
    },
    openapi_extra=_body(),
)
async def download(request: Request, collections: CollectionsDep) -> StreamingResponse:
    """Up to 1,000, sent while they are read. What cannot be read is listed in `MISSING.txt` inside; of frames their
    video is sent, once. 404 if no image has any of the ids."""
    wanted = await _read(request)
    services = (
        collections.first if wanted.collection is None else collections.services(known(collections, wanted.collection))
    )
    ids = list(dict.fromkeys(wanted.ids))
    found = await to_thread.run_sync(services.collection.catalog.get_many, ids)
    if not found:
        raise ImageNotFound(ids[0])
    missing = [f"image {id_}: no longer in the collection" for id_ in ids if id_ not in found]
    data = zipped((found[id_] for id_ in ids if id_ in found), services.originals, missing)
    headers = {"Content-Disposition": f'attachment; filename="{_FILE}"', "Cache-Control": "no-store"}
    return StreamingResponse(data, media_type=MEDIA_TYPE, headers=headers)


async def _read(request: Request) -> DownloadRequest:
    """Raises `UploadTooLarge`, `RequestValidationError`, and `HTTPException` 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    request = limited(request, _BODY_BYTES)
    try:
        if media_type == "application/json":
            return DownloadRequest.model_validate_json(await request.body(), strict=True)
        if media_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
            raise HTTPException(415, "send application/json, or a form with the field 'ids'")
        async with request.form(max_files=0, max_fields=MOST + 1) as form:
            ids = [part for value in form.getlist("ids") for part in str(value).split(",")]
            others = {name: value for name, value in form.items() if name != "ids"}
        return DownloadRequest.model_validate({**others, "ids": ids})
    except ValidationError as error:
        raise invalid(error) from error
    except UnicodeDecodeError as error:
        raise RequestValidationError([{"loc": ("body",), "msg": "must be UTF-8", "type": "utf8"}]) from error
