"""What a camera wrote beside the pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import ImageFile, TiffImagePlugin

_EXIF_IFD = 0x8769
_ORIENTATION = 0x0112
_MAKE, _MODEL = 0x010F, 0x0110
_DATE_TIME, _DATE_TIME_ORIGINAL = 0x0132, 0x9003


@dataclass(frozen=True, slots=True)
class Exif:
    orientation: int
    """1 to 8: how the stored pixels, as the decoder hands them out, lie."""
    taken_at: datetime | None
    camera: str | None


def read_exif(opened: ImageFile.ImageFile) -> Exif:
    """Never fails: what cannot be understood is taken as absent, since the pixels are what counts."""
    tags = _tags(opened)
    return Exif(
        orientation=_orientation(opened, tags.get(_ORIENTATION)),
        taken_at=date_time(tags.get(_DATE_TIME_ORIGINAL)) or date_time(tags.get(_DATE_TIME)),
        camera=camera_of(text(tags.get(_MAKE)), text(tags.get(_MODEL))),
    )


def _tags(opened: ImageFile.ImageFile) -> dict[int, Any]:
    """The main directory and the EXIF one in one."""
    tags: dict[int, Any] = {}
    try:
        exif = opened.getexif()
        tags.update(exif)
        tags.update(exif.get_ifd(_EXIF_IFD))
    except Exception:  # noqa: BLE001 - garbage in EXIF makes Pillow's parser raise anything
        return tags
    return tags


def _orientation(opened: ImageFile.ImageFile, value: object) -> int:
    """Pillow hands TIFF out upright, and libheif HEIC; both keep the tag from being applied twice."""
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def text(value: object) -> str:
    """What is printable of it, on one line; empty for what is no text."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def date_time(value: object) -> datetime | None:
    """None for what is no date, such as that of a clock that was never set."""
    parts = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)", text(value))
    if not parts:
        return None
    year, month, day, hour, minute, second = (int(part) for part in parts.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a camera's clock has no zone
    except ValueError:  # such as 0000:00:00, which cameras write when their clock was never set
        return None


def camera_of(make: str, model: str) -> str | None:
    """`Canon` and `Canon EOS 5D` -> `Canon EOS 5D`; `NIKON CORPORATION` and `NIKON D90` -> `NIKON D90`."""
    if make and model.casefold().startswith(make.split()[0].casefold()):
        make = ""
    return f"{make} {model}".strip() or None
