"""Which of Pillow's decoders reads a picture file."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from indexer.errors import UndecodableImage

_SIGNATURES: tuple[tuple[bytes, type[ImageFile.ImageFile]], ...] = (
    (b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    (b"GIF87a", GifImagePlugin.GifImageFile),
    (b"GIF89a", GifImagePlugin.GifImageFile),
    (b"BM", BmpImagePlugin.BmpImageFile),
    (b"II*\0", TiffImagePlugin.TiffImageFile),
    (b"MM\0*", TiffImagePlugin.TiffImageFile),
    (b"II+\0", TiffImagePlugin.TiffImageFile),
    (b"MM\0+", TiffImagePlugin.TiffImageFile),
    *((bytes((size, 0, 0, 0)), BmpImagePlugin.DibImageFile) for size in (12, 40, 52, 56, 64, 108, 124)),
)


def decoder_of(data: bytes) -> Callable[[BytesIO], ImageFile.ImageFile]:
    """By content: the name of a file is not asked. Raises `UndecodableImage` for what is none of ours."""
    for signature, decoder in _SIGNATURES:
        if data.startswith(signature):
            return decoder
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if data[4:8] == b"ftyp":
        brands = data[8 : max(12, min(int.from_bytes(data[:4], "big"), 256))]
        return AvifImagePlugin.AvifImageFile if b"avif" in brands or b"avis" in brands else _heif_decoder()
    raise UndecodableImage("not a picture in a format that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC)")


def _heif_decoder() -> type[ImageFile.ImageFile]:
    """libheif comes into memory with the first HEIC, and only then."""
    from pillow_heif import HeifImageFile

    decoder: type[ImageFile.ImageFile] = HeifImageFile
    return decoder
