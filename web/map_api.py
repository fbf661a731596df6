"""JSON routes of the map: every picture a point, and the names of regions."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from indexer.projection.picture_map import SIDE
from web.api import REVALIDATE, unless_known
from web.collections import ServicesDep
from web.problems import documented
from web.schemas import examples

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

Place = Annotated[float, Field(ge=0, le=SIDE, description=f"0 to {SIDE:,}, along the longer side of the map")]

_REGION: Final[dict[str, Any]] = {"level": 0, "name": "dog", "x": 12840.0, "y": 50211.0, "images": 812}


class RegionOut(BaseModel):
    """A part of the map, called by what sets its pictures apart."""

    level: int = Field(
        ge=0, description="0: of few and large regions, for the whole map; 1, 2: of more and smaller ones"
    )
    name: str
    x: Place
    y: Place
    images: int


class MapResponse(BaseModel):
    model_config = examples(
        {"images": 20000, "shown": 20000, "newer": 12, "stale": False, "version": "1f3a", "regions": [_REGION]},
        {"images": 20000, "shown": 0, "newer": 0, "stale": False, "version": None, "regions": []},
    )

    images: int = Field(description="how many the collection holds")
    shown: int = Field(description="how many are on the map, at most 50,000; 0 if none was made yet")
    newer: int = Field(description="of those shown: came after it was made, and lie beside their neighbours")
    stale: bool = Field(description="whether a tenth of the collection has changed since it was made")
    version: str | None = Field(
        description="changes with the points; null if no map was made yet: a job `map` makes it"
    )
    regions: list[RegionOut]


_POINTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "int64 ids, then uint16 x, then uint16 y, all little-endian and as many as `shown`",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "The client's are still right"},
}


class PointsResponse(Response):
    media_type = "application/octet-stream"


@router.get("/map", summary="The map of the collection")
def picture_map(services: ServicesDep) -> MapResponse:
    """Whether there is one, and what its regions are called. Its points are in /api/map/points."""
    version, found = services.last_map.of(services.collection)
    if found is None:
        images = services.collection.catalog.count()
        return MapResponse(images=images, shown=0, newer=0, stale=False, version=None, regions=[])
    return MapResponse(
        images=found.images,
        shown=len(found.ids),
        newer=found.newer,
        stale=found.stale,
        version=version,
        regions=[RegionOut.model_validate(region, from_attributes=True) for region in found.regions],
    )


@router.get(
    "/map/points",
    summary="The points of the map",
    response_class=PointsResponse,
    responses=_POINTS | documented(404),
)
def points(request: Request, services: ServicesDep) -> Response:
    """Three columns, one after the other: 12 bytes a picture. x goes from the left and y from the top, 0 to 65,535."""
    version, found = services.last_map.of(services.collection)
    if found is None:
        raise HTTPException(404, "no map was made yet; a job of kind `map` makes it, or `sightline map`")
    columns = (found.ids.astype("<i8"), found.places[:, 0].astype("<u2"), found.places[:, 1].astype("<u2"))
    headers = {"Cache-Control": REVALIDATE, "ETag": f'"{version}"'}
    return unless_known(request, PointsResponse(b"".join(c.tobytes() for c in columns), headers=headers))
