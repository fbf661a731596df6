"""The JSON routes, and the pictures behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
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
from indexer.companions import companions_of
from indexer.errors import InvalidQuery
from indexer.originals import file_of
from indexer.sources.address import name
from indexer.thumbnails import Side
from search.box import Box
from search.cursors import at_offset
from search.engine import Results
from search.query import MAX_ID
from web import thumbnails
from web.collections import Collections, CollectionsDep, NamesDep, ServicesDep
from web.collections_api import joint_answer
from web.problems import documented, printable
from web.queries import read_query
from web.schemas import (
    CURSOR,
    MAX_K,
    MAX_OFFSET,
    Health,
    HitOut,
    ImageDetail,
    ImageOut,
    ImagesResponse,
    QueryOut,
    SearchRequest,
    SearchResponse,
    version,
)
from web.search_schemas import ChipOut, FacetsOut, MatchesOut, MonthOut
from web.stats_schemas import IndexOut, RootOut, StatsResponse
from web.thumbnails import original_status, read_original
from web.uploads import read_search

IMMUTABLE: Final = "private, max-age=31536000, immutable"
REVALIDATE: Final = "private, no-cache"
ORIGINAL_TYPES: Final = {
    **{format: f"image/{format}" for format in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "heif")},
    **{format: f"video/{format}" for format in ("mp4", "webm", "mpeg")},
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
}
"""By the format found when the file was decoded, never by its name: what is not here can only be downloaded."""
# An original is anybody's file: opened by itself it may run nothing, whatever a browser takes it for.
ORIGINAL_POLICY: Final = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"
# Chromium's player asks for a video a second time, and may not without the origin; scripts stay forbidden.
VIDEO_POLICY: Final = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"

router = APIRouter(prefix="/api", responses=documented(404, 422, 503))
health_router = APIRouter(responses=documented(404, 422, 503))

ImageId = Annotated[int, PathParameter(ge=0, le=MAX_ID, description="id of an indexed image", examples=[17])]


def pictures(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """An answer that is a picture, and the empty one to a client that has it already, for OpenAPI."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    return {
        200: {"description": "The picture", "content": content},
        304: {"description": "The client's is still right"},
    }


def _search_body() -> dict[str, Any]:
    """The two bodies that a search takes, for OpenAPI: the route reads them itself, as they come in."""
    schema = _inlined(SearchRequest.model_json_schema())
    fields = {
        name: next((kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"), field)
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


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references: those lead from its own root, which is not that of OpenAPI's document."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        return {name: resolved(value) for name, value in part.items()}

    inlined: dict[str, Any] = resolved(schema)
    return inlined


@router.post(
    "/search",
    summary="Search by texts, pictures and filters",
    responses=documented(400, 403, 404, 410, 413, 415),
    openapi_extra=_search_body(),
)
async def search_images(request: Request, collections: CollectionsDep, names: NamesDep) -> SearchResponse:
    """By texts and pictures, each with a weight, by a filter, or by what a person typed into one box.

    What is given together counts together. Or `cursor`, for the next page of a search. In a form `terms`, `filter` and
    `prompts` are JSON.
    """
    shared = collections.main
    wanted, upload = await read_search(request, shared.settings.upload_limits.max_bytes)
    slots = shared.search_slots if upload is None else shared.upload_slots
    return await to_thread.run_sync(partial(_search, collections, names, wanted, upload), limiter=slots)


@router.get("/search", summary="The next page of a search", responses=documented(410))
async def next_page(
    collections: CollectionsDep,
    names: NamesDep,
    cursor: Annotated[str, QueryParameter(description=CURSOR, examples=["3q2-7wEjRWeJq83v.40"])],
    k: Annotated[int, QueryParameter(ge=1, le=MAX_K, description="how many hits", examples=[40])] = 40,
    offset: Annotated[
        int | None,
        QueryParameter(ge=0, le=MAX_OFFSET, description="another place than the next; of one collection only"),
    ] = None,
) -> SearchResponse:
    """Of the same collections. 410 when the search is not kept any more: ask again, with `offset`."""
    slots = collections.main.search_slots
    if offset is not None:
        if len(names) > 1:
            raise InvalidQuery("hits of several collections come in their order; leave out offset")
        cursor = at_offset(cursor, offset)
    return await to_thread.run_sync(partial(_next_page, collections, names, cursor, k), limiter=slots)


def _search(
    collections: Collections, names: Sequence[str], wanted: SearchRequest, upload: bytes | None
) -> SearchResponse:
    if wanted.cursor is not None:
        if upload is not None or wanted.model_fields_set - {"cursor", "k"}:
            raise InvalidQuery("a cursor goes on with a search; send nothing beside it but k")
        return _next_page(collections, names, wanted.cursor, wanted.k)
    asked = read_query(wanted, upload, collections.main.query_images)
    name = asked.picture.name if asked.picture else None
    query = QueryOut(text=wanted.text, image_id=wanted.image_id, query_image=name)
    if len(names) > 1:
        if wanted.facets or wanted.timeline:
            raise InvalidQuery("facets and timeline are of one collection; name that one with `collection`")
        return joint_answer(collections.joint.search(collections.members(names), asked.query), query, asked.box)
    services = collections.services(names[0])
    results = services.serving.engine.search(asked.query, facets=wanted.facets, timeline=wanted.timeline)
    return _answer(results, wanted.k, services.name, query, asked.box)


def _next_page(collections: Collections, names: Sequence[str], cursor: str, k: int) -> SearchResponse:
    if len(names) > 1:
        return joint_answer(collections.joint.next_page(cursor, k))
    services = collections.services(names[0])
    return _answer(services.serving.next_page(cursor, k), k, services.name)


def _answer(
    results: Results, k: int, collection: str | None, query: QueryOut | None = None, box: Box | None = None
) -> SearchResponse:
    following = results.offset + k
    more = results.more and following <= MAX_OFFSET
    return SearchResponse(
        hits=[HitOut.of_hit(hit, collection) for hit in results.hits],
        images=results.images,
        seconds=results.seconds,
        next_offset=following if more else None,
        cursor=results.cursor if more else None,
        query=query,
        matched=results.matched,
        meaning=box.meaning if box else None,
        chips=ChipOut.of_box(box) if box else [],
        facets=FacetsOut.of_facets(results.facets) if results.facets else None,
        timeline=None if results.timeline is None else MonthOut.of(results.timeline),
        matches=MatchesOut.of(results.claim.matches) if results.claim else None,
        no_match=results.claim.no_match if results.claim else None,
    )


@router.get("/images", summary="Images, the newest first")
def newest_images(
    services: ServicesDep,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_K, description="how many", examples=[40])] = 40,
    before: Annotated[
        int | None, QueryParameter(ge=0, le=MAX_ID, description="only ids below: the last page's `next_before`")
    ] = None,
    offset: Annotated[int, QueryParameter(ge=0, le=MAX_OFFSET, description="how many of these to pass over")] = 0,
) -> ImagesResponse:
    # One more than the page, to know whether another page follows.
    records = services.collection.catalog.latest(limit + 1, before, offset)
    page = records[:limit]
    return ImagesResponse(
        images=[ImageOut.of(record, services.name) for record in page],
        next_before=page[-1].id if len(records) > limit else None,
        total=services.collection.catalog.count() if before is None and not offset else None,
    )


@router.get("/images/{image_id}", summary="What is known of an image", responses=documented(404))
def image(services: ServicesDep, image_id: ImageId) -> ImageDetail:
    catalog = services.collection.catalog
    record, texts = catalog.get(image_id), catalog.texts([image_id]).get(image_id, ())
    return ImageDetail.detailed(record, texts, companions_of(record.path), services.name)


@router.get(
    "/images/{image_id}/thumbnail",
    summary="A small version of an image",
    response_class=Response,
    responses=pictures(thumbnails.MEDIA_TYPE) | documented(404, 410, 413, 415),
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
    return unless_known(request, Response(made.data, media_type=thumbnails.MEDIA_TYPE, headers=headers))


@router.get(
    "/images/{image_id}/original",
    summary="The image file itself, or the video that it is a frame of",
    response_class=Response,
    responses=pictures(*dict.fromkeys(ORIGINAL_TYPES.values())) | documented(404, 410, 413),
)
def image_original(request: Request, services: ServicesDep, image_id: ImageId) -> Response:
    """As it was indexed: TIFF and HEIF too, which few browsers show. Of a file any range may be asked for."""
    record = services.collection.catalog.get(image_id)
    media_type = ORIGINAL_TYPES.get(record.format, "application/octet-stream")
    headers = {
        "Cache-Control": REVALIDATE,
        "Content-Disposition": _disposition(record),
        "Content-Security-Policy": VIDEO_POLICY if media_type.startswith("video/") else ORIGINAL_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    path = file_of(record.path)
    if path is not None:
        status = original_status(record, path)
        return unless_known(request, FileResponse(path, stat_result=status, media_type=media_type, headers=headers))
    data = read_original(record, services.originals)
    headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return unless_known(request, Response(data, media_type=media_type, headers=headers))


def _disposition(record: ImageRecord) -> str:
    """RFC 6266: the name in ASCII for old clients, and in UTF-8."""
    file = printable(name(file_of(record.path) or record.path))
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in file)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(file, safe='')}"


def unless_known(request: Request, response: Response) -> Response:
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
        roots=[RootOut.of(root) for root in numbers.roots],
        library=printable(str(numbers.library)),
        max_upload_mb=services.settings.max_upload_mb,
        version=__version__,
    )


@health_router.get("/healthz", summary="Whether the service can answer")
def healthz(services: ServicesDep) -> Health:
    """The model is loaded, or the service would not have started; the catalog is asked."""
    services.collection.catalog.revision()
    return Health(status="ok")
