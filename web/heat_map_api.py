"""The route to why a picture matched: a heat map, to be laid over it."""

from __future__ import annotations

import hashlib
import io
from functools import partial
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi import Query as QueryParameter

from indexer import __version__
from indexer.catalog import ImageRecord
from indexer.errors import InvalidQuery
from indexer.geometry import thumbnail_size
from indexer.thumbnails import Side
from search.heat_map import Method
from search.heat_picture import overlay
from search.query import MAX_ID, ImageTerm, IndexedTerm, Query, Term, TextTerm
from search.region import Region
from web.api import REVALIDATE, ImageId, pictures, unless_known
from web.collections import CollectionsDep, ServicesDep
from web.problems import documented
from web.schemas import HASH_EXAMPLE
from web.search_schemas import HASH
from web.services import Services
from web.thumbnails import read_original
from web.uploads import QueryImages

MEDIA_TYPE: Final = "image/png"
METHOD, CONTRAST, FLAT = "Heat-Map-Method", "Heat-Map-Contrast", "Heat-Map-Flat"

router = APIRouter(prefix="/api", responses=documented(422))


def _responses() -> dict[int | str, dict[str, Any]]:
    described = pictures(MEDIA_TYPE)
    described[200]["headers"] = {
        METHOD: {"schema": {"type": "string"}, "description": "`grid` or `occlusion`"},
        CONTRAST: {
            "schema": {"type": "string"},
            "description": "how far the best place stands out, in that of any words",
        },
        FLAT: {"schema": {"type": "string"}, "description": "`true` when no place stands out: nothing is coloured"},
    }
    return described | documented(404, 410, 413, 415, 503)


@router.get(
    "/images/{image_id}/heat-map",
    summary="Where in an image a query is",
    response_class=Response,
    responses=_responses(),
)
async def image_heat_map(
    request: Request,
    services: ServicesDep,
    collections: CollectionsDep,
    image_id: ImageId,
    text: Annotated[str | None, QueryParameter(description="the query's words", examples=["a dog on a beach"])] = None,
    like: Annotated[
        int | None,
        QueryParameter(alias="image_id", ge=0, le=MAX_ID, description="id of the image searched by", examples=[18]),
    ] = None,
    query_image: Annotated[
        str | None,
        QueryParameter(
            pattern=f"^{HASH}$", description="name of the picture that was sent to search with", examples=[HASH_EXAMPLE]
        ),
    ] = None,
    region: Annotated[
        str | None,
        QueryParameter(
            description="of image_id or query_image the part searched by: left,top,width,height in fractions",
            examples=["0.25,0,0.5,1"],
        ),
    ] = None,
    method: Annotated[
        Method | None,
        QueryParameter(description="by the model's own grid, or by covering parts; the grid where there is one"),
    ] = None,
    side: Annotated[Side, QueryParameter(description="longest side in pixels", examples=[320])] = Side.TILE,
) -> Response:
    """A PNG with transparency, of the thumbnail's size: dark blue where the query is not, yellow where it is, grey
    stripes where the model did not look. At least one of text, image_id and query_image; given together they are one
    query, as in a search.
    """
    wanted = partial(_wanted, collections.main.query_images, text, like, query_image, region)
    return await to_thread.run_sync(
        partial(_answer, request, services, image_id, wanted, method, side), limiter=services.upload_slots
    )


def _wanted(
    kept: QueryImages, text: str | None, like: int | None, query_image: str | None, region: str | None
) -> Query:
    """A blank text beside a picture says nothing, as in a search."""
    part = None if region is None else Region.parse(region)
    terms: list[Term] = []
    if query_image is not None:
        terms.append(ImageTerm(kept.read(query_image), region=part))
    if like is not None:
        terms.append(IndexedTerm(like, region=part))
    if part is not None and not terms:
        raise InvalidQuery("a text has no region; give it with image_id or query_image")
    if text is not None and (text.strip() or not terms):
        terms.append(TextTerm(text))
    return Query(tuple(terms))


def _answer(
    request: Request, services: Services, image_id: int, wanted: partial[Query], method: Method | None, side: Side
) -> Response:
    engine = services.serving.engine
    record: ImageRecord = services.collection.catalog.get(image_id)
    vector = engine.embed(wanted())
    data = read_original(record, services.originals)
    # What the map is made of: the file as it is now, the model by the query's vector, how it is drawn.
    made_of = f"{__version__} {engine.heat_maps.weights_hash} {method} {side}".encode()
    tag = hashlib.sha256(b"\0".join((made_of, hashlib.sha256(data).digest(), vector.tobytes()))).hexdigest()[:32]
    headers = {"Cache-Control": REVALIDATE, "ETag": f'"{tag}"'}
    known = unless_known(request, Response(media_type=MEDIA_TYPE, headers=headers))
    if known.status_code == 304:
        return known
    heat_map = engine.heat_maps.of(data, vector, method)
    buffer = io.BytesIO()
    overlay(heat_map, thumbnail_size(heat_map.picture, side)).save(buffer, "PNG", compress_level=1)
    headers |= {
        METHOD: heat_map.method,
        CONTRAST: f"{heat_map.contrast:.2f}",
        FLAT: str(heat_map.flat).lower(),
    }
    return Response(buffer.getvalue(), media_type=MEDIA_TYPE, headers=headers)
