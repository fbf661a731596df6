"""The JSON routes, and the pictures behind them."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import PurePath
from typing import Annotated, Any, Final
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter
from fastapi import Query as QueryParameter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from indexer import __version__
from indexer.catalog import ImageRecord
from indexer.errors import InvalidQuery
from search.engine import Results
from search.query import MAX_ID, ImageTerm, IndexedTerm, Query, Term, TextTerm
from web import thumbnails, uploads
from web.problems import documented, printable
from web.schemas import (
    CURSOR,
    HASH,
    HASH_EXAMPLE,
    MAX_K,
    MAX_OFFSET,
    Health,
    HitOut,
    ImageOut,
    ImagesResponse,
    IndexOut,
    MatchesOut,
    QueryOut,
    SearchRequest,
    SearchResponse,
    StatsResponse,
    version,
)
from web.services import Services, ServicesDep
from web.thumbnails import Side, original_status
from web.uploads import QueryImage, read_search

IMMUTABLE: Final = "private, max-age=31536000, immutable"
REVALIDATE: Final = "private, no-cache"
ORIGINAL_TYPES: Final = {
    format: f"image/{format}" for format in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heif")
}
"""By the format found when the file was decoded, never by its name: what is not here can only be downloaded."""
# An original is anybody's file: opened by itself it may run nothing, whatever a browser takes it for.
ORIGINAL_POLICY: Final = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"

router = APIRouter(prefix="/api", responses=documented(422))
health_router = APIRouter(responses=documented(503))

ImageId = Annotated[int, PathParameter(ge=0, le=MAX_ID, description="id of an indexed image", examples=[17])]


def _pictures(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """An answer that is a picture, and the empty one to a client that has it already, for OpenAPI."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    return {
        200: {"description": "The picture", "content": content},
        304: {"description": "The client's is still right"},
    }


def _search_body() -> dict[str, Any]:
    """The two bodies that a search takes, for OpenAPI: the route reads them itself, as they come in."""
    schema = SearchRequest.model_json_schema()
    fields = {
        name: next((kind for kind in field.get("anyOf", ()) if kind["type"] != "null"), field)
        | {"description": field["description"]}
        for name, field in schema["properties"].items()
    }
    picture = {
        "type": "string",
        "format": "binary",
        "description": "a picture to look like: any format that is indexed",
    }
    form = {"type": "object", "additionalProperties": False, "properties": {**fields, "image": picture}}
    content = {
        "application/json": {"schema": schema},
        "multipart/form-data": {"schema": form, "example": {"text": "at night", "image": "(the file's bytes)"}},
    }
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/search",
    summary="Search by a text, a picture, or both",
    responses=documented(400, 403, 404, 410, 413, 415),
    openapi_extra=_search_body(),
)
async def search_images(request: Request, services: ServicesDep) -> SearchResponse:
    """At least one of text, image, image_id and query_image; what is given together is looked for together.

    Or `cursor`, for the next page of a search.
    """
    wanted, upload = await read_search(request, services.settings.upload_limits.max_bytes)
    slots = services.search_slots if upload is None else services.upload_slots
    return await to_thread.run_sync(partial(_search, services, wanted, upload), limiter=slots)


@router.get("/search", summary="The next page of a search", responses=documented(410))
async def next_page(
    services: ServicesDep,
    cursor: Annotated[str, QueryParameter(description=CURSOR, examples=["3q2-7wEjRWeJq83v.40"])],
    k: Annotated[int, QueryParameter(ge=1, le=MAX_K, description="how many hits", examples=[40])] = 40,
) -> SearchResponse:
    """410 when the search is not kept any more: ask again, with `offset`."""
    return await to_thread.run_sync(partial(_next_page, services, cursor, k), limiter=services.search_slots)


def _search(services: Services, wanted: SearchRequest, upload: bytes | None) -> SearchResponse:
    if wanted.cursor is not None:
        if upload is not None or wanted.model_fields_set - {"cursor", "k"}:
            raise InvalidQuery("a cursor goes on with a search; send nothing beside it but k")
        return _next_page(services, wanted.cursor, wanted.k)
    picture = _picture(services, wanted, upload)
    query = Query(_terms(wanted, picture), wanted.k, wanted.offset, wanted.min_probability)
    asked = QueryOut(text=wanted.text, image_id=wanted.image_id, query_image=picture.name if picture else None)
    return _answer(services.serving.engine.search(query), wanted.k, asked)


def _next_page(services: Services, cursor: str, k: int) -> SearchResponse:
    return _answer(services.serving.next_page(cursor, k), k, None)


def _answer(results: Results, k: int, asked: QueryOut | None) -> SearchResponse:
    following = results.offset + k
    more = results.more and following <= MAX_OFFSET
    claim = results.claim
    return SearchResponse(
        hits=[HitOut.of_hit(hit) for hit in results.hits],
        images=results.images,
        matches=MatchesOut.of(claim.matches) if claim else None,
        no_match=claim.no_match if claim else None,
        seconds=results.seconds,
        next_offset=following if more else None,
        cursor=results.cursor if more else None,
        query=asked,
    )


def _picture(services: Services, wanted: SearchRequest, upload: bytes | None) -> QueryImage | None:
    """The picture that was sent, now or before; one sent now comes first."""
    if upload is not None:
        return services.query_images.keep(upload)
    if wanted.query_image is not None:
        return QueryImage(wanted.query_image, services.query_images.read(wanted.query_image))
    return None


def _terms(wanted: SearchRequest, picture: QueryImage | None) -> tuple[Term, ...]:
    terms: list[Term] = []
    if picture is not None:
        terms.append(ImageTerm(picture.jpeg))
    if wanted.image_id is not None:
        terms.append(IndexedTerm(wanted.image_id))
    # A blank text beside a picture says nothing; alone it is a query, and refused as an empty one.
    if wanted.text is not None and (wanted.text.strip() or not terms):
        terms.append(TextTerm(wanted.text))
    return tuple(terms)


@router.get(
    "/query-images/{name}",
    summary="A picture that was sent to search with",
    response_class=Response,
    responses=_pictures(uploads.MEDIA_TYPE) | documented(404),
)
def query_image(
    request: Request,
    services: ServicesDep,
    name: Annotated[str, PathParameter(pattern=f"^{HASH}$", examples=[HASH_EXAMPLE])],
) -> Response:
    """Scaled down to 768 px. The newest 500 are kept."""
    data = services.query_images.read(name)
    headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{name}"'}
    return _unless_known(request, Response(data, media_type=uploads.MEDIA_TYPE, headers=headers))


@router.get("/images", summary="Images, the newest first")
def newest_images(
    services: ServicesDep,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_K, description="how many", examples=[40])] = 40,
    before: Annotated[
        int | None, QueryParameter(ge=0, le=MAX_ID, description="only ids below: the last page's `next_before`")
    ] = None,
) -> ImagesResponse:
    # One more than the page, to know whether another page follows.
    records = services.collection.catalog.latest(limit + 1, before)
    page = records[:limit]
    return ImagesResponse(
        images=[ImageOut.of(record) for record in page],
        next_before=page[-1].id if len(records) > limit else None,
    )


@router.get("/images/{image_id}", summary="What is known of an image", responses=documented(404))
def image(services: ServicesDep, image_id: ImageId) -> ImageOut:
    return ImageOut.of(services.collection.catalog.get(image_id))


@router.get(
    "/images/{image_id}/thumbnail",
    summary="A small version of an image",
    response_class=Response,
    responses=_pictures(thumbnails.MEDIA_TYPE) | documented(404, 410, 413, 415),
)
async def image_thumbnail(
    request: Request,
    services: ServicesDep,
    image_id: ImageId,
    side: Annotated[Side, QueryParameter(description="longest side in pixels", examples=[320])] = Side.TILE,
    v: Annotated[str | None, QueryParameter(description="the picture's version, as a `thumbnail_url` holds it")] = None,
) -> Response:
    """Upright. Smaller pictures keep their size."""
    record = await run_in_threadpool(services.collection.catalog.get, image_id)
    made = await services.thumbnails.get(record, side)
    # An id keeps its place when its file changes: only the version in the URL makes the answer one for ever.
    lasting = v == version(record) and made.content_hash == record.content_hash
    headers = {
        "Cache-Control": IMMUTABLE if lasting else REVALIDATE,
        "ETag": f'"{made.content_hash[:32]}-{side}"',
    }
    return _unless_known(request, Response(made.data, media_type=thumbnails.MEDIA_TYPE, headers=headers))


@router.get(
    "/images/{image_id}/original",
    summary="The image file itself",
    response_class=Response,
    responses=_pictures(*ORIGINAL_TYPES.values()) | documented(404, 410),
)
def image_original(request: Request, services: ServicesDep, image_id: ImageId) -> Response:
    """As it is on the disk: TIFF and HEIF too, which few browsers show."""
    record = services.collection.catalog.get(image_id)
    headers = {
        "Cache-Control": REVALIDATE,
        "Content-Disposition": _disposition(record),
        "Content-Security-Policy": ORIGINAL_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return _unless_known(
        request,
        FileResponse(
            record.path,
            stat_result=original_status(record),
            media_type=ORIGINAL_TYPES.get(record.format, "application/octet-stream"),
            headers=headers,
        ),
    )


def _disposition(record: ImageRecord) -> str:
    """RFC 6266: the name in ASCII for old clients, and in UTF-8."""
    name = printable(PurePath(record.path).name)
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _unless_known(request: Request, response: Response) -> Response:
    """The answer, or 304 without its body when the client names its `ETag`."""
    known = request.headers.get("if-none-match", "")
    if response.headers["etag"] not in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return response
    kept = {name: response.headers[name] for name in ("cache-control", "etag")}
    return Response(status_code=304, headers=kept)


@router.get("/stats", summary="The collection in numbers")
def stats(services: ServicesDep) -> StatsResponse:
    numbers = services.collection.stats()
    return StatsResponse(
        images=numbers.images,
        model=numbers.model,
        dimension=numbers.dimension,
        index=IndexOut.model_validate(asdict(numbers.index)),
        precision=numbers.precision,
        formats=numbers.formats,
        bytes=numbers.image_bytes,
        bytes_on_disk=numbers.bytes_on_disk,
        library=printable(str(numbers.library)),
        max_upload_mb=services.settings.max_upload_mb,
        version=__version__,
    )


@health_router.get("/healthz", summary="Whether the service can answer")
def healthz(services: ServicesDep) -> Health:
    """The model is loaded, or the service would not have started; the catalog is asked."""
    services.collection.catalog.revision()
    return Health(status="ok")
