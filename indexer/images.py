"""Bytes -> upright RGB pixels at the size a model asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, JpegImagePlugin

from indexer.errors import ImageTooLarge, UndecodableImage, UnreadableImage
from indexer.exif import Exif, read_exif
from indexer.formats import decoder_of
from indexer.geometry import WHOLE, Box, Fit, Size, fit, thumbnail_size, within
from indexer.jpeg import load_jpeg
from indexer.looks.look import SIDE, Look, look_of
from indexer.resizing import resized, turned


@dataclass(frozen=True, slots=True)
class DecodePolicy:
    """How bytes become pixels. Pictures are compared only if all went one way, so a collection keeps its policy."""

    name: str
    """As recorded in the manifest: another one whenever the pixels would change."""
    jpeg_margin: int
    """JPEG is decoded at no less than this multiple of the size asked for, then resized."""


CAREFUL = DecodePolicy("exif-upright/dct-halved-2x/alpha-on-white/2", 2)
"""54 dB or better, of photos, against decoding all of a JPEG."""

FAST = DecodePolicy("exif-upright/dct-halved-1x/alpha-on-white/2", 1)
"""46 dB or better, in four fifths to nine tenths of the time: docs/indexing.md."""

_THUMBNAILS = "+thumbnails"
_VERSION_1 = {
    "exif-upright/dct-scaled-2x/alpha-on-white/1": CAREFUL,
    "exif-upright/dct-scaled-1x/alpha-on-white/1": FAST,
}
"""They scaled JPEGs by any eighth, and by Pillow. What they made stays: the embeddings of 400 photos by `mini` have a
cosine of 0.9987 or more to those made now."""
DECODE_POLICIES = {
    name + suffix: replace(policy, name=name + suffix)
    for name, policy in ({policy.name: policy for policy in (CAREFUL, FAST)} | _VERSION_1).items()
    for suffix in ("", _THUMBNAILS)
}


def of_files(policy: str) -> str:
    """The name of that policy where every picture is decoded from its file."""
    return policy.removesuffix(_THUMBNAILS)


def of_thumbnails(policy: str) -> str:
    """Its name where some were decoded from the thumbnail that is kept of them, in place of the file."""
    return of_files(policy) + _THUMBNAILS


Pixels = NDArray[np.uint8]
"""Upright RGB, `(height, width, 3)`, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The geometry and normalisation that a model's image tower expects."""

    height: int
    width: int
    resize_mode: Literal["shortest", "longest", "squash"]
    """`shortest`: shorter side to the size, then centre crop; `longest`: longer side, then pad; `squash`: stretch."""
    interpolation: Literal["bicubic", "bilinear"]
    mean: tuple[float, float, float]
    """Subtracted from RGB in 0..1."""
    std: tuple[float, float, float]
    """Divides what is left."""
    fill_color: int = 0
    """Grey level, 0 to 255, of the padding of `longest`."""

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Preprocessing:
        return cls(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


RAISE_PIXELS = "raise SIGHTLINE_MAX_PIXELS, or --max-pixels of `sightline index`"
RAISE_BYTES = "raise SIGHTLINE_MAX_FILE_MB, or --max-file-mb of `sightline index`"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost before it is refused."""

    max_pixels: int = 150_000_000
    max_bytes: int = 512 * 1024 * 1024
    private_hosts: frozenset[str] = frozenset()
    """Hosts of private networks that the user lets listed URLs name."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a file says about itself. Width and height are of the upright picture."""

    width: int
    height: int
    format: str
    """Lower case: `jpeg`, `png`, `webp`, `gif`, `bmp`, `tiff`, `avif`, `heif`."""
    taken_at: datetime | None
    """EXIF DateTimeOriginal, without a time zone, as the camera's clock said it."""
    camera: str | None
    """EXIF make and model, such as `Canon EOS 5D`."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    pixels: Pixels
    """`(height, width, 3)` as the `Preprocessing` asked."""
    info: ImageInfo
    look: Look | None = None
    """If it was asked for."""


_DEFAULT_LIMITS = Limits()

_REDUCING_GAP = 2.0
"""Pillow may box-filter down to this multiple of the size asked for before the real filter."""

_LONGEST = 4
"""Times the model's frame: of a longer strip only what is kept of it is resized, which Pillow can and torch cannot."""


def decode(
    data: bytes,
    preprocessing: Preprocessing,
    limits: Limits = _DEFAULT_LIMITS,
    policy: DecodePolicy = CAREFUL,
    *,
    look: bool = False,
) -> DecodedImage:
    """A picture file's bytes -> the pixels that a model takes, and what the file says about itself.

    For a collection's pictures and queries ask its manifest's `decode`, which knows preprocessing and policy. The
    geometry is open_clip's `image_transform`, without the normalisation. Only the first frame or page counts;
    embedded colour profiles are ignored, as in open_clip. Raises `UndecodableImage` and `ImageTooLarge`.
    """
    with _translated(limits):
        loaded = _loaded(data, limits, lambda full: fit(preprocessing, full).resized, policy)
        placed = fit(preprocessing, (loaded.info.width, loaded.info.height))
        fitted, whole = _fitted(loaded, placed, preprocessing)
        seen = _look(loaded, whole) if look else None
        return DecodedImage(_framed(fitted, placed, preprocessing), loaded.info, seen)


def thumbnail(data: bytes, max_side: int, limits: Limits = _DEFAULT_LIMITS) -> Image.Image:
    """The upright picture in RGB, its longer side at most `max_side` px, never enlarged. Raises as `decode`."""

    with _translated(limits):
        loaded = _loaded(data, limits, lambda full: thumbnail_size(full, max_side), CAREFUL)
        size = thumbnail_size((loaded.info.width, loaded.info.height), max_side)
        return _resized(_upright(loaded), size, Image.Resampling.LANCZOS)


def read_look(data: bytes, limits: Limits = _DEFAULT_LIMITS) -> Look:
    """How the picture looks at a glance, where it need not be decoded for a model. Raises as `decode`."""
    with _translated(limits):
        return _look(_loaded(data, limits, lambda full: thumbnail_size(full, SIDE), CAREFUL), None)


def read_info(data: bytes, limits: Limits = _DEFAULT_LIMITS) -> ImageInfo:
    """What the file says about itself, from its header; damage behind the header may go unseen.

    Only a PNG is decoded for it, because its EXIF may follow the pixels. Raises as `decode`.
    """
    with header_of(data, limits) as header:
        return _info(header, read_exif(header))


@contextmanager
def header_of(data: bytes, limits: Limits) -> Iterator[ImageFile.ImageFile]:
    """The header, for those who read more of it. Raises as `decode`, also for what is raised inside."""
    with _translated(limits):
        yield _open(data, limits)


@contextmanager
def _translated(limits: Limits) -> Iterator[None]:
    """Whatever a decoder raises becomes an `UnreadableImage`.

    Everything is caught, because damaged files make decoders raise anything: besides OSError and SyntaxError also
    struct.error, KeyError, ZeroDivisionError, RuntimeError and more. Nothing is swallowed.
    """
    try:
        yield
    except UnreadableImage:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(str(error), limits) from error
    except MemoryError as error:
        raise UndecodableImage(
            "there is not enough memory to decode it; lower --max-pixels to skip such files"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UndecodableImage(f"damaged or truncated picture ({reason})") from error


def _too_many_pixels(message: str, limits: Limits) -> UnreadableImage:
    """Pillow's own guard comes before ours only in WebP: the pixels it counted, held against our limit."""
    count = re.search(r"\((\d+) pixels\)", message)
    if count and int(count[1]) > limits.max_pixels:
        return ImageTooLarge(what="pixels", actual=int(count[1]), limit=limits.max_pixels, remedy=RAISE_PIXELS)
    return UndecodableImage(f"more pixels than Pillow decodes of this format ({message})")


def _open(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """The header, read by the decoder that the content calls for, and checked against the limits.

    The decoders are called directly rather than through `Image.open`: that one would try some forty formats,
    among them Ghostscript's, and apply a pixel limit of its own that only a process-wide setting can change.
    """
    if not data:
        raise UndecodableImage("the file is empty")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(what="bytes", actual=len(data), limit=limits.max_bytes, remedy=RAISE_BYTES)
    opened = decoder_of(data)(BytesIO(data))
    pixels = opened.width * opened.height
    if pixels > limits.max_pixels:
        raise ImageTooLarge(
            what=f"pixels ({opened.width:,} x {opened.height:,})",
            actual=pixels,
            limit=limits.max_pixels,
            remedy=RAISE_PIXELS,
        )
    return opened


@dataclass(frozen=True, slots=True)
class _Loaded:
    image: Image.Image | Pixels
    """As the file stores it, possibly smaller; an array is a JPEG's."""
    full: Size
    """What the file holds, as stored."""
    orientation: int
    info: ImageInfo

    @property
    def extent(self) -> tuple[float, float]:
        """How much of `image`, from its left and its top, the picture fills: DCT scaling rounds a fraction up."""
        width, height = self.image.size if isinstance(self.image, Image.Image) else self.image.shape[1::-1]
        eighths = max(width, height) * 8 // max(self.full)  # libjpeg makes sides of ceil(full * eighths / 8)
        return self.full[0] * eighths / 8, self.full[1] * eighths / 8


def _loaded(data: bytes, limits: Limits, needed: Callable[[Size], Size], policy: DecodePolicy) -> _Loaded:
    """JPEG is DCT-scaled to no less than the policy's multiple of `needed(full upright size)`."""
    opened = _open(data, limits)
    full = opened.size
    if isinstance(opened, JpegImagePlugin.JpegImageFile):
        exif = read_exif(opened)
        info = _info(opened, exif)
        width, height = (policy.jpeg_margin * side for side in needed((info.width, info.height)))
        image = load_jpeg(opened, data, (height, width) if exif.orientation >= 5 else (width, height))
        return _Loaded(image, full, exif.orientation, info)
    opened.load()  # before EXIF is asked for: PNG may keep it behind the pixels, TIFF turns itself
    exif = read_exif(opened)
    return _Loaded(opened, opened.size, exif.orientation, _info(opened, exif))


def _fitted(loaded: _Loaded, placed: Fit, preprocessing: Preprocessing) -> tuple[Pixels, Pixels | None]:
    """The box of the picture at the model's scale, upright; and all of it, where that was made on the way."""
    if isinstance(loaded.image, Image.Image) or max(placed.resized) > _LONGEST * max(placed.size):
        resample = Image.Resampling[preprocessing.interpolation.upper()]
        return np.asarray(_resized(_upright(loaded), placed.size, resample, placed.box)), None
    width, height = placed.resized
    size = (height, width) if loaded.orientation >= 5 else (width, height)
    whole = turned(resized(loaded.image, loaded.extent, size, preprocessing.interpolation), loaded.orientation)
    left, top = placed.corner
    return whole[top : top + placed.size[1], left : left + placed.size[0]], whole


def _look(loaded: _Loaded, whole: Pixels | None) -> Look:
    """Of the picture at a model's scale, if there is one."""
    full = (loaded.info.width, loaded.info.height)
    if whole is None:
        whole = np.asarray(_resized(_upright(loaded), thumbnail_size(full, SIDE), Image.Resampling.BOX))
    return look_of(whole, full)


@dataclass(frozen=True, slots=True)
class _Upright:
    image: Image.Image
    """L, RGB or RGBA, possibly smaller than the file's picture."""
    extent: Box
    """The part of `image`, in its pixels, that the picture fills."""


def _upright(loaded: _Loaded) -> _Upright:
    image = loaded.image if isinstance(loaded.image, Image.Image) else Image.fromarray(loaded.image)
    image = _eight_bit(image)
    width, height = loaded.extent
    if loaded.orientation in _TURNS:
        image = image.transpose(_TURNS[loaded.orientation])
    if loaded.orientation >= 5:
        width, height = height, width
    left = image.width - width if loaded.orientation in (2, 3, 6, 7) else 0.0
    top = image.height - height if loaded.orientation in (3, 4, 7, 8) else 0.0
    return _Upright(image, (left, top, left + width, top + height))


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Any mode -> L, RGB or RGBA."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return Image.fromarray(_scaled_to_8_bit(np.asarray(picture)))
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _scaled_to_8_bit(grey: NDArray[Any]) -> Pixels:
    """16 bit: the high byte, as Pillow does for RGB. Floats in 0..1: that range.

    Other floats and 32-bit integers have no agreed white, so their darkest becomes black, their brightest white.
    """
    if grey.dtype.itemsize == 2:
        return (grey >> 8).astype(np.uint8)
    values = np.nan_to_num(grey.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if grey.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return np.asarray((values - low) * (255.0 / ((high - low) or 1.0)) + 0.5).astype(np.uint8)


def _framed(fitted: Pixels, placed: Fit, preprocessing: Preprocessing) -> Pixels:
    height, width = preprocessing.height, preprocessing.width
    if fitted.shape == (height, width, 3):
        return fitted
    frame = np.full((height, width, 3), preprocessing.fill_color, np.uint8)
    left, top = placed.offset
    frame[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return frame


def _resized(picture: _Upright, size: Size, resample: Image.Resampling, box: Box = WHOLE) -> Image.Image:
    """The box of the picture as RGB of that size, alpha composited on white."""
    source = within(picture.extent, box)
    if picture.image.mode != "RGBA":
        return picture.image.resize(size, resample, source, _REDUCING_GAP).convert("RGB")
    # Premultiplied, so that the colour of what is transparent does not bleed into its neighbours.
    small = picture.image.convert("RGBa").resize(size, resample, source, _REDUCING_GAP).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", size, "white"), small).convert("RGB")


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what brings the picture upright."""


def _info(opened: ImageFile.ImageFile, exif: Exif) -> ImageInfo:
    width, height = opened.size
    if exif.orientation >= 5:
        width, height = height, width
    name = str(opened.format).lower()
    return ImageInfo(width, height, "bmp" if name == "dib" else name, exif.taken_at, exif.camera)
