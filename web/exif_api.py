"""The route to how a picture was taken: read from its file when somebody looks, and kept nowhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from indexer.exif_details import ExifDetails, read_details
from indexer.sources.address import parse
from web.api import ImageId
from web.collections import ServicesDep
from web.problems import documented, printable
from web.schemas import examples
from web.thumbnails import read_original

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

_EXIF: Final[dict[str, Any]] = {
    "taken_at": "2024-05-11T17:42:08",
    "camera": "Canon EOS 5D",
    "lens": "EF16-35mm f/2.8L III USM",
    "exposure": 0.004,
    "aperture": 2.8,
    "iso": 400,
    "focal_length": 35.0,
    "focal_length_35mm": 35,
    "exposure_bias": -0.33,
    "flash": False,
    "software": None,
    "artist": "Ada",
    "copyright": None,
    "latitude": 48.858222,
    "longitude": 2.2945,
    "altitude": 35.0,
}


class ExifOut(BaseModel):
    """What the camera wrote; what it did not is null."""

    model_config = examples(_EXIF)

    taken_at: str | None = Field(description="ISO 8601 without a time zone, as the camera's clock said it")
    camera: str | None
    lens: str | None
    exposure: float | None = Field(description="seconds")
    aperture: float | None = Field(description="the f-number")
    iso: int | None
    focal_length: float | None = Field(description="millimetres")
    focal_length_35mm: int | None = Field(description="what shows as much on 35 mm film")
    exposure_bias: float | None = Field(description="EV")
    flash: bool | None = Field(description="whether it fired")
    software: str | None
    artist: str | None
    copyright: str | None
    latitude: float | None = Field(description="degrees, north above 0; null unless the longitude is known too")
    longitude: float | None = Field(description="degrees, east above 0")
    altitude: float | None = Field(description="metres above the sea")

    @classmethod
    def of(cls, details: ExifDetails) -> ExifOut:
        fields = asdict(details) | {"taken_at": details.taken_at.isoformat() if details.taken_at else None}
        return cls(**{name: printable(value) if isinstance(value, str) else value for name, value in fields.items()})


@router.get(
    "/images/{image_id}/exif",
    summary="How an image was taken, read from its file",
    responses=documented(404, 410, 413, 415),
)
def image_exif(services: ServicesDep, image_id: ImageId) -> ExifOut:
    """Camera, lens, exposure and place. A frame of a video says nothing of these."""
    record = services.collection.catalog.get(image_id)
    if parse(record.path).seconds is not None:
        return ExifOut.of(ExifDetails())
    return ExifOut.of(read_details(read_original(record, services.originals), services.settings.limits))
