"""How a photograph was taken, as its camera wrote it: for people to read, and never indexed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from PIL import ExifTags

from indexer.exif import camera_of, date_time, text
from indexer.images import Limits, header_of

_BASE, _GPS = ExifTags.Base, ExifTags.GPS
_WEST, _SOUTH = "W", "S"
_BELOW_SEA: Final = 1


@dataclass(frozen=True, slots=True)
class ExifDetails:
    """What the file does not say, or says in a way that cannot be, is None."""

    taken_at: datetime | None = None
    """Without a time zone, as the camera's clock said it."""
    camera: str | None = None
    lens: str | None = None
    exposure: float | None = None
    """Seconds."""
    aperture: float | None = None
    """The f-number."""
    iso: int | None = None
    focal_length: float | None = None
    """Millimetres."""
    focal_length_35mm: int | None = None
    """What shows as much on 35 mm film."""
    exposure_bias: float | None = None
    """EV."""
    flash: bool | None = None
    """Whether it fired."""
    software: str | None = None
    artist: str | None = None
    copyright: str | None = None
    latitude: float | None = None
    """Degrees, north above 0; None unless the longitude is known too."""
    longitude: float | None = None
    """Degrees, east above 0."""
    altitude: float | None = None
    """Metres above the sea."""


def read_details(data: bytes, limits: Limits) -> ExifDetails:
    """Of a picture file. Damage in its EXIF leaves out what it hits. Raises `UnreadableImage` for no picture."""
    with header_of(data, limits) as picture:
        tags: dict[int, Any] = {}
        place: dict[int, Any] = {}
        try:
            exif = picture.getexif()
            tags.update(exif)
            tags.update(exif.get_ifd(ExifTags.IFD.Exif))
            place.update(exif.get_ifd(ExifTags.IFD.GPSInfo))
        except Exception:  # noqa: BLE001 - garbage in EXIF makes Pillow's parser raise anything
            return _details(tags, place)
        return _details(tags, place)


def _details(tags: Mapping[int, Any], place: Mapping[int, Any]) -> ExifDetails:
    latitude, longitude = _coordinates(place)
    return ExifDetails(
        taken_at=date_time(tags.get(_BASE.DateTimeOriginal)) or date_time(tags.get(_BASE.DateTime)),
        camera=camera_of(text(tags.get(_BASE.Make)), text(tags.get(_BASE.Model))),
        lens=text(tags.get(_BASE.LensModel)) or None,
        exposure=_positive(tags.get(_BASE.ExposureTime)),
        aperture=_positive(tags.get(_BASE.FNumber)),
        iso=_whole(tags.get(_BASE.ISOSpeedRatings)),
        focal_length=_positive(tags.get(_BASE.FocalLength)),
        focal_length_35mm=_whole(tags.get(_BASE.FocalLengthIn35mmFilm)),
        exposure_bias=_number(tags.get(_BASE.ExposureBiasValue)),
        flash=_fired(tags.get(_BASE.Flash)),
        software=text(tags.get(_BASE.Software)) or None,
        artist=text(tags.get(_BASE.Artist)) or None,
        copyright=text(tags.get(_BASE.Copyright)) or None,
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(place),
    )


def _coordinates(place: Mapping[int, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(place.get(_GPS.GPSLatitude), place.get(_GPS.GPSLatitudeRef), _SOUTH, 90)
    longitude = _degrees(place.get(_GPS.GPSLongitude), place.get(_GPS.GPSLongitudeRef), _WEST, 180)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(parts: object, reference: object, negative: str, most: float) -> float | None:
    """Degrees, minutes and seconds -> degrees to six places, about 0.1 m."""
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    numbers = [_number(part) for part in parts]
    known = [number for number in numbers if number is not None]
    if len(known) != 3:
        return None
    degrees = known[0] + known[1] / 60 + known[2] / 3600
    if not 0 <= degrees <= most:
        return None
    return round(-degrees if text(reference).upper() == negative else degrees, 6)


def _altitude(place: Mapping[int, Any]) -> float | None:
    metres = _number(place.get(_GPS.GPSAltitude))
    if metres is None:
        return None
    reference = place.get(_GPS.GPSAltitudeRef)
    below = reference in (_BELOW_SEA, bytes([_BELOW_SEA]))
    return -metres if below else metres


def _number(value: object) -> float | None:
    """Rationals of x/0 stand for what a camera does not know."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever Pillow has read
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _whole(value: object) -> int | None:
    """ISO may come as several numbers: the first is the one that was set."""
    number = _positive(value[0] if isinstance(value, tuple) and value else value)
    return None if number is None else round(number)


def _fired(value: object) -> bool | None:
    return bool(value & 1) if isinstance(value, int) else None
