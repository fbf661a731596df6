"""What a camera wrote, for people to read."""

from __future__ import annotations

from dataclasses import astuple
from datetime import datetime
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from indexer.errors import UndecodableImage
from indexer.exif_details import ExifDetails, read_details
from indexer.images import Limits
from tests.pictures import encoded, plain


def block(
    exposure: dict[int, Any] | None = None, place: dict[int, Any] | None = None, base: dict[int, Any] | None = None
) -> bytes:
    exif = Image.Exif()
    exif.update(base or {})
    exif.get_ifd(0x8769).update(exposure or {})
    exif.get_ifd(0x8825).update(place or {})
    return exif.tobytes()


EXPOSURE = {
    0x9003: "2024:05:11 17:42:08",
    0x829A: IFDRational(1, 250),
    0x829D: IFDRational(28, 10),
    0x8827: 400,
    0x920A: IFDRational(35, 1),
    0xA405: 52,
    0x9204: IFDRational(-1, 3),
    0x9209: 16,
    0xA434: "EF16-35mm\0",
}
PLACE = {1: "S", 2: (33.0, 51.0, 24.48), 3: "W", 4: (70.0, 40.0, 9.0), 5: b"\1", 6: 12.5}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_all_that_people_look_for(format: str) -> None:
    exif = block(EXPOSURE, PLACE, {0x10F: "Canon", 0x110: "Canon EOS 5D", 0x131: "Darkroom", 0x13B: "Ada"})
    details = read_details(encoded(plain("red", (64, 64)), format, exif=exif), Limits())
    assert (details.taken_at, details.camera, details.lens) == (
        datetime(2024, 5, 11, 17, 42, 8),  # noqa: DTZ001 - a camera's clock has no zone
        "Canon EOS 5D",
        "EF16-35mm",
    )
    assert (details.exposure, details.aperture, details.iso) == (0.004, 2.8, 400)
    assert (details.focal_length, details.focal_length_35mm, details.flash) == (35.0, 52, False)
    assert details.exposure_bias == pytest.approx(-1 / 3)
    assert (details.software, details.artist, details.copyright) == ("Darkroom", "Ada", None)
    assert (details.latitude, details.longitude, details.altitude) == (-33.856800, -70.669167, -12.5)


@pytest.mark.parametrize(
    ("exposure", "place"),
    [
        ({0x829A: IFDRational(1, 0), 0x829D: IFDRational(0, 1), 0x8827: 0, 0x920A: IFDRational(0, 0)}, {}),
        ({}, {1: "N", 2: (95.0, 0.0, 0.0), 3: "E", 4: (10.0, 0.0, 0.0)}),  # beyond the pole
        ({}, {1: "N", 2: (45.0, 0.0, 0.0)}),  # half a place is none
    ],
)
def test_what_a_camera_does_not_know_is_none(exposure: dict[int, Any], place: dict[int, Any]) -> None:
    details = read_details(encoded(plain("red"), exif=block(exposure, place)), Limits())
    assert set(astuple(details)) == {None}


def test_damage_leaves_out_what_it_hits_and_no_picture_is_an_error() -> None:
    good = encoded(plain("red"), exif=block(EXPOSURE, PLACE))
    start = good.index(b"Exif\0\0") + 6
    damaged = good[: start + 60] + b"\xff" * 40 + good[start + 100 :]
    assert isinstance(read_details(damaged, Limits()), ExifDetails)
    assert read_details(encoded(plain("red")), Limits()) == ExifDetails()
    with pytest.raises(UndecodableImage):
        read_details(b"no picture", Limits())
