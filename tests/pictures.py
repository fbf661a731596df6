"""Small pictures, and files that only look like pictures, for everybody's tests. Deterministic, nothing stored."""

from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.palette import COLOURS


def plain(colour: str | tuple[int, int, int], size: tuple[int, int] = (48, 32)) -> Image.Image:
    """One colour, by its name in `tests.palette` or as RGB; `size` is (width, height)."""
    return Image.new("RGB", size, COLOURS[colour] if isinstance(colour, str) else colour)


def photo(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """Photo-like: broad shapes of colour, finer ones over them, some grain. No two seeds are alike."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((3, 0.6), (12, 0.25), (60, 0.12)):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
        picture += strength * np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    picture += rng.normal(0, 3, (height, width, 1))
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def quadrants(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, yellow: says which way up it is."""
    picture = Image.new("RGB", (width, height), COLOURS["red"])
    picture.paste(COLOURS["green"], (width // 2, 0, width, height // 2))
    picture.paste(COLOURS["blue"], (0, height // 2, width // 2, height))
    picture.paste(COLOURS["yellow"], (width // 2, height // 2, width, height))
    return picture


def encoded(picture: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file of that Pillow format (also `HEIF`)."""
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def exif(
    *,
    orientation: int | None = None,
    taken_at: str | None = None,
    changed_at: str | None = None,
    make: str | None = None,
    model: str | None = None,
) -> bytes:
    """An EXIF block for `encoded(..., exif=...)`; dates as cameras write them: `2024:05:17 18:03:09`."""
    block = Image.Exif()
    for tag, value in ((0x112, orientation), (0x10F, make), (0x110, model), (0x132, changed_at)):
        if value is not None:
            block[tag] = value
    if taken_at is not None:
        block.get_ifd(0x8769)[0x9003] = taken_at
    return block.tobytes()


def write(path: str | bytes | Path, content: Image.Image | bytes, *, mtime_ns: int | None = None) -> str:
    """Writes a file (a picture as JPEG, PNG... by the suffix) and its folders; gives back the path as `str`."""
    name = os.fsdecode(path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    if isinstance(content, Image.Image):
        suffix = os.path.splitext(name)[1].lower().lstrip(".")
        formats = {"jpg": "JPEG", "tif": "TIFF", "heic": "HEIF"}
        content = encoded(content, formats.get(suffix, suffix.upper()))
    with open(name, "wb") as file:
        file.write(content)
    if mtime_ns is not None:
        os.utime(name, ns=(mtime_ns, mtime_ns))
    return name


def blank_png(width: int, height: int) -> bytes:
    """A valid black 1-bit PNG of any size; 200 megapixels are 110 kB."""
    row = bytes(1 + (width + 7) // 8)
    packer = zlib.compressobj(1)
    return _png(width, height, b"".join(packer.compress(row) for _ in range(height)) + packer.flush())


def bomb_png(width: int = 200_000, height: int = 200_000) -> bytes:
    """A header that promises 40 gigapixels, and next to nothing behind it."""
    return _png(width, height, zlib.compress(bytes(1000)))


def raw_png(width: int, height: int, *, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG of any bit depth and colour type, of which Pillow writes but a few; each row starts with a zero byte."""
    return _png(width, height, zlib.compress(rows), depth, colour)


def _png(width: int, height: int, packed: bytes, depth: int = 1, colour: int = 0) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def nasty_files() -> dict[str, bytes]:
    """File name -> content that no picture can be made of, each for a reason of its own."""
    whole = encoded(photo(160, 120))
    return {
        "empty.jpg": b"",
        "text.jpg": b"Dear diary, this is no picture.\n" * 20,
        "truncated.jpg": whole[: len(whole) // 2],
        "header-only.png": encoded(photo(160, 120), "PNG")[:60],
        "garbage.webp": np.random.default_rng(1).bytes(4096),
        "bomb.png": bomb_png(),
        "huge.png": blank_png(20_000, 10_000),
    }
