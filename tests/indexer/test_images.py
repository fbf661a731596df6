from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, TiffImagePlugin

from indexer.errors import ImageTooLarge, UndecodableImage, UnreadableImage
from indexer.images import FAST, Limits, Preprocessing, decode, read_info, thumbnail
from tests.palette import COLOURS
from tests.pictures import blank_png, bomb_png, encoded, exif, nasty_files, photo, plain, quadrants, raw_png

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("JPEG", {"subsampling": 0}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("BMP", {}),
    ("DIB", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("AVIF", {}),
    ("HEIF", {}),
]
each_format = pytest.mark.parametrize(("format", "options"), FORMATS, ids=lambda value: str(value))


def asked(width: int, height: int | None = None, mode: Any = "squash", fill: int = 0) -> Preprocessing:
    return Preprocessing(height or width, width, mode, "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), fill)


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def corners(pixels: NDArray[np.uint8]) -> list[str]:
    """The colour nearest to the middle of each quadrant: top left, top right, bottom left, bottom right."""
    height, width = pixels.shape[:2]
    names = list(COLOURS)
    found = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            distance = ((np.array(list(COLOURS.values())) - pixels[y, x].astype(int)) ** 2).sum(1)
            found.append(names[int(distance.argmin())])
    return found


UPRIGHT = ["red", "green", "blue", "yellow"]


# --- the geometry of open_clip


@pytest.fixture(scope="module")
def open_clip_transform() -> Callable[[Image.Image, Preprocessing], NDArray[np.float64]]:
    from indexer.torchvision_ops import ensure_torchvision_ops

    ensure_torchvision_ops()
    from open_clip.transform import image_transform

    def transformed(picture: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float64]:
        transform = image_transform(
            (preprocessing.height, preprocessing.width),
            is_train=False,
            mean=(0, 0, 0),
            std=(1, 1, 1),
            resize_mode=preprocessing.resize_mode,
            interpolation=preprocessing.interpolation,
            fill_color=preprocessing.fill_color,
        )
        pixels: NDArray[np.float64] = np.asarray(transform(picture)).transpose(1, 2, 0) * 255.0
        return pixels.round()

    return transformed


SIZES = [(640, 480), (333, 500), (300, 225), (224, 224), (100, 90), (57, 301), (1499, 1003)]


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("frame", [(224, 224), (160, 224)], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pixels_are_open_clips(
    open_clip_transform: Any, mode: Any, frame: tuple[int, int], size: tuple[int, int]
) -> None:
    preprocessing = asked(*frame, mode=mode, fill=127)
    picture = photo(*size)
    got = decode(encoded(picture, "PNG", compress_level=1), preprocessing).pixels
    want = open_clip_transform(picture, preprocessing)
    # 1 level for resizing a box instead of cropping afterwards, 1 more for the box filter of large reductions.
    assert np.abs(got - want).max() <= 2

    data = encoded(picture, "JPEG", quality=92)
    want = open_clip_transform(Image.open(BytesIO(data)), preprocessing)
    assert psnr(decode(data, preprocessing).pixels, want) >= 48


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_jpeg_is_dct_scaled_and_as_good(open_clip_transform: Any, mode: Any, orientation: int) -> None:
    """Sides that no DCT scale divides, so that a geometry that is off by a fraction of a pixel shows."""
    stored = photo(1003, 751, seed=5)
    data = encoded(stored, quality=95, exif=exif(orientation=orientation))
    turned = Image.open(BytesIO(data))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation -> PIL transpose method
    upright = turned.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else turned
    want = open_clip_transform(upright.convert("RGB"), asked(96, mode=mode))
    assert psnr(decode(data, asked(96, mode=mode)).pixels, want) >= 50


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_no_more_of_a_jpeg_is_decoded_than_needed(mode: str, orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least twice the 140 x 50 asked for, of 800 x 600 px: a quarter is too little, a half is enough."""
    import simplejpeg

    sizes = []
    decode_jpeg, load = simplejpeg.decode_jpeg, JpegImagePlugin.JpegImageFile.load

    def recorded_decode(*arguments: Any, **options: Any) -> Any:
        pixels = decode_jpeg(*arguments, **options)
        sizes.append((pixels.shape[1], pixels.shape[0]))
        return pixels

    def recorded_load(self: JpegImagePlugin.JpegImageFile) -> Any:
        sizes.append(self.size)
        return load(self)

    monkeypatch.setattr(simplejpeg, "decode_jpeg", recorded_decode)
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", recorded_load)
    upright = photo(800, 600).convert(mode)
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose.ROTATE_90)
    data = encoded(stored, exif=exif(orientation=orientation))
    decode(data, asked(140, 50))
    scan = data.index(b"\xff\xda")
    decode(data[:scan] + b"\0\0" + data[scan:], asked(140, 50))  # which only Pillow takes
    assert set(sizes) == {(400, 300) if orientation == 1 else (300, 400)}
    assert len(sizes) > 1


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_fast_decoding_is_upright_at_the_same_place_and_nearly_as_good(mode: Any, orientation: int) -> None:
    data = encoded(photo(1003, 751, seed=5), quality=95, exif=exif(orientation=orientation))
    careful, fast = decode(data, asked(96, mode=mode)), decode(data, asked(96, mode=mode), policy=FAST)
    assert fast.info == careful.info
    assert 40 <= psnr(fast.pixels, careful.pixels) < 70


def test_fast_decoding_makes_no_more_pixels_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import simplejpeg

    sizes = []
    decode_jpeg = simplejpeg.decode_jpeg

    def recorded(*arguments: Any, **options: Any) -> Any:
        pixels = decode_jpeg(*arguments, **options)
        sizes.append(pixels.shape[:2])
        return pixels

    monkeypatch.setattr(simplejpeg, "decode_jpeg", recorded)
    decode(encoded(photo(800, 600)), asked(140, 50), policy=FAST)  # an eighth, 100 x 75, is too little
    decode(encoded(photo(100, 60)), asked(140, 50), policy=FAST)
    assert sizes == [(150, 200), (60, 100)]


def test_interpolation_is_the_one_asked_for(open_clip_transform: Any) -> None:
    preprocessing = Preprocessing(96, 96, "squash", "bilinear", (0.0,) * 3, (1.0,) * 3)
    picture = photo(300, 200)
    got = decode(encoded(picture, "PNG"), preprocessing).pixels
    assert np.abs(got - open_clip_transform(picture, preprocessing)).max() <= 1
    assert np.abs(got - open_clip_transform(picture, asked(96))).max() > 2


def test_padding_has_the_fill_colour() -> None:
    pixels = decode(encoded(plain("red", (100, 50)), "PNG"), asked(64, mode="longest", fill=127)).pixels
    assert (pixels[:16] == 127).all()
    assert (pixels[48:] == 127).all()
    assert (pixels[16:48] == (255, 0, 0)).all()


def test_a_strip_costs_no_more_than_what_is_kept_of_it() -> None:
    """Resized before cropping, this one would be 224 x 13,440,000 pixels."""
    decoded = decode(encoded(plain("red", (1, 60_000)), "PNG"), asked(224, mode="shortest"))
    assert decoded.pixels.shape == (224, 224, 3)
    assert decode(encoded(plain("red", (60_000, 1)), "PNG"), asked(224, mode="longest")).pixels.any()


# --- formats and modes


@each_format
def test_every_format_decodes_to_the_picture(format: str, options: dict[str, Any]) -> None:
    decoded = decode(encoded(quadrants(), format, **options), asked(32))
    assert decoded.pixels.shape == (32, 32, 3)
    assert decoded.pixels.dtype == np.uint8
    assert corners(decoded.pixels) == UPRIGHT
    assert decoded.info.format == ("bmp" if format == "DIB" else format.lower())
    assert (decoded.info.width, decoded.info.height) == (64, 48)


EXIF_FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"]


@pytest.mark.parametrize("format", EXIF_FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_come_out_upright(format: str, orientation: int) -> None:
    stored = quadrants()
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what turns upright into stored: the inverse of EXIF's turn
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(back[orientation]))
    data = encoded(stored, format, exif=exif(orientation=orientation))
    decoded = decode(data, asked(32))
    assert corners(decoded.pixels) == UPRIGHT
    assert (decoded.info.width, decoded.info.height) == (64, 48)
    assert read_info(data) == decoded.info
    small = thumbnail(data, 32)
    assert small.size == (32, 24)
    assert corners(np.asarray(small)) == UPRIGHT


def test_exif_behind_the_pixels_of_a_png_counts() -> None:
    whole = encoded(quadrants().transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif(orientation=6))
    start = whole.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(whole[start : start + 4], "big")
    end_chunk = whole.index(b"IEND") - 4
    moved = whole[:start] + whole[end:end_chunk] + whole[start:end] + whole[end_chunk:]
    decoded = decode(moved, asked(32))
    assert corners(decoded.pixels) == UPRIGHT
    assert read_info(moved) == decoded.info


def test_a_mislabelled_file_decodes_by_content() -> None:
    assert decode(encoded(quadrants(), "PNG"), asked(16)).info.format == "png"


MODES = {
    "JPEG": ["L", "CMYK", "RGB"],
    "PNG": ["L", "1", "P", "RGB"],
    "TIFF": ["L", "1", "P", "CMYK", "YCbCr", "RGB"],
}


@pytest.mark.parametrize(("format", "mode"), [(format, mode) for format in MODES for mode in MODES[format]])
def test_modes(format: str, mode: str) -> None:
    grey = mode in ("L", "1")
    picture = plain("white", (64, 48)) if grey else quadrants()
    decoded = decode(encoded(picture.convert(mode), format), asked(32)).pixels
    assert corners(decoded) == (["white"] * 4 if grey else UPRIGHT)


def test_cmyk_jpeg_has_pillows_colours() -> None:
    for ink in ((0, 0, 0, 0), (50, 100, 150, 80), (255, 0, 0, 0), (0, 0, 0, 255)):
        data = encoded(Image.new("CMYK", (32, 32), ink), quality=100)
        want = np.asarray(Image.open(BytesIO(data)).convert("RGB").resize((16, 16)))
        assert np.abs(decode(data, asked(16)).pixels.astype(int) - want).max() <= 2


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGBA", (40, 40), (255, 0, 0, 0)),
        Image.new("LA", (40, 40), (0, 0)),
        Image.new("RGBA", (40, 40), (255, 0, 0, 0)).quantize(4),
    ],
    ids=["RGBA", "LA", "PA"],
)
def test_what_is_transparent_is_white(picture: Image.Image) -> None:
    assert (decode(encoded(picture, "PNG"), asked(16)).pixels == 255).all()
    assert (np.asarray(thumbnail(encoded(picture, "PNG"), 16)) == 255).all()


def test_half_transparent_red_on_white_is_pink() -> None:
    for format in ("PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        pixels = decode(encoded(Image.new("RGBA", (64, 64), (255, 0, 0, 128)), format), asked(16)).pixels
        assert np.abs(pixels.astype(int) - (255, 127, 127)).max() <= 4, format


def test_transparent_colour_does_not_bleed() -> None:
    """Opaque white beside transparent black is white all over: alpha is premultiplied before resizing."""
    picture = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 101, 200))
    assert decode(encoded(picture, "PNG"), asked(16)).pixels.min() >= 254


@pytest.mark.parametrize(("mode", "key"), [("P", 0), ("RGB", (255, 0, 0)), ("L", 0), ("1", 0)])
def test_colour_keys_of_png_are_transparent(mode: str, key: Any) -> None:
    picture = Image.new(mode, (16, 16), key)
    assert (decode(encoded(picture, "PNG", transparency=key), asked(16)).pixels == 255).all()


def test_palette_transparency_of_gif() -> None:
    picture = Image.new("P", (16, 16), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    assert (decode(encoded(picture, "GIF", transparency=1), asked(16)).pixels == 255).all()
    assert (decode(encoded(picture, "GIF"), asked(16)).pixels == (255, 0, 0)).all()


def test_only_the_first_frame_counts() -> None:
    frames = {"save_all": True, "append_images": [plain("blue")]}
    for format in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        pixels = decode(encoded(plain("red"), format, **frames), asked(16)).pixels
        assert np.abs(pixels.astype(int) - (255, 0, 0)).max() <= 6, format


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256 * 4, dtype=np.uint16).reshape(1, -1).repeat(4, 0)
    for format in ("PNG", "TIFF"):
        pixels = decode(encoded(Image.fromarray(ramp), format), asked(1024, 4)).pixels
        assert np.abs(pixels[0, :, 0].astype(int) - (ramp[0] >> 8)).max() <= 1, format


def test_16_bit_rgb_is_scaled_not_clipped() -> None:
    row = b"\0" + b"".join(value.to_bytes(2, "big") for value in (65535, 32768, 128) * 8)
    pixels = decode(raw_png(8, 8, depth=16, colour=2, rows=row * 8), asked(8)).pixels
    assert np.abs(pixels.astype(int) - (255, 128, 0)).max() <= 1


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (np.array([[0.0, 0.25, 1.0, 0.5]], np.float32), [0, 64, 255, 128]),
        (np.array([[0.0, 0.25, 0.5, 0.5]], np.float32), [0, 64, 128, 128]),
        (np.array([[-1000.0, 0.0, 1000.0, np.nan]], np.float32), [0, 128, 255, 128]),
        (np.array([[7.0, 7.0, 7.0, 7.0]], np.float32), [0, 0, 0, 0]),
        (np.array([[0, 70_000, 140_000, 0]], np.int32), [0, 128, 255, 0]),
    ],
    ids=["unit range", "within the unit range", "any range", "constant", "32-bit integers"],
)
def test_float_and_32_bit_tiff(values: NDArray[Any], want: list[int]) -> None:
    pixels = decode(encoded(Image.fromarray(values), "TIFF"), asked(4, 1)).pixels
    assert np.abs(pixels[0, :, 0].astype(int) - want).max() <= 1


def test_embedded_profiles_are_ignored() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    with_profile = decode(encoded(quadrants(), "PNG", icc_profile=profile), asked(16)).pixels
    assert np.array_equal(with_profile, decode(encoded(quadrants(), "PNG"), asked(16)).pixels)


# --- damage


@pytest.mark.parametrize("name", nasty_files())
def test_nasty_files_are_unreadable_with_a_reason(name: str) -> None:
    data = nasty_files()[name]
    for read in (lambda: decode(data, asked(16)), lambda: thumbnail(data, 16)):
        with pytest.raises(UnreadableImage) as raised:
            read()
        assert str(raised.value)
        assert "\n" not in str(raised.value)


@each_format
def test_truncated_files_are_never_half_decoded(format: str, options: dict[str, Any]) -> None:
    """Cut anywhere, a file is refused; only what follows the last pixel of a PNG or GIF may be missing."""
    data = encoded(photo(120, 90), format, **options)
    whole = decode(data, asked(60)).pixels
    cuts = {len(data) * share // 60 for share in range(60)} | set(range(len(data) - 24, len(data)))
    spared = [cut for cut in sorted(cuts) if _decodes_to(data[:cut], whole)]
    assert not spared or (format in ("PNG", "GIF") and len(data) - min(spared) <= 24)


def _decodes_to(data: bytes, whole: NDArray[np.uint8]) -> bool:
    try:
        pixels = decode(data, asked(60)).pixels
    except UndecodableImage:
        return False
    assert np.array_equal(pixels, whole)
    return True


def test_a_download_padded_with_zeros_is_refused() -> None:
    data = encoded(photo(320, 240))
    with pytest.raises(UndecodableImage, match="Premature end"):
        decode(data[: len(data) // 2] + bytes(len(data) // 2), asked(32))


def test_stray_bytes_between_jpeg_segments_are_harmless() -> None:
    """Some cameras write them; libjpeg warns of them, every viewer shows the picture."""
    data = encoded(quadrants())
    scan = data.index(b"\xff\xda")
    for at in (scan, len(data) - 2):
        assert corners(decode(data[:at] + b"\0\0\0" + data[at:], asked(32)).pixels) == UPRIGHT


def test_bytes_behind_a_jpeg_are_harmless() -> None:
    assert corners(decode(encoded(quadrants()) + b"a film follows" * 1000, asked(32)).pixels) == UPRIGHT


@each_format
def test_damaged_bytes_raise_nothing_else(format: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(7)
    data = encoded(photo(40, 30), format, **options)
    refused = 0
    for round_ in range(150):
        damaged = bytearray(data)
        reach = min(len(data), 400) if round_ % 2 else len(data)
        for _ in range(rng.integers(1, 6)):
            damaged[rng.integers(reach)] = rng.integers(256)
        if round_ % 7 == 0:
            start = rng.integers(len(damaged))
            del damaged[start : start + rng.integers(1, 30)]
        refused += _refused(bytes(damaged))
    assert refused  # else the damage was too mild to say anything


def _refused(data: bytes) -> int:
    """How many of the three ways in refused the bytes; any other exception fails the test."""
    count = 0
    for read in (lambda: decode(data, asked(16)), lambda: read_info(data), lambda: thumbnail(data, 16)):
        try:
            read()
        except UnreadableImage:
            count += 1
    return count


def test_a_decoders_exception_is_kept_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(Exception):
        pass

    def load(self: object) -> None:
        raise Odd("two\nlines")

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", load)
    with pytest.raises(UndecodableImage, match=r"two lines") as raised:
        decode(encoded(plain("red"), "TIFF"), asked(16))
    assert isinstance(raised.value.__cause__, Odd)


# --- limits


def test_too_many_pixels_names_the_limit_and_the_flag() -> None:
    with pytest.raises(ImageTooLarge) as raised:
        decode(blank_png(20_000, 10_000), asked(16))
    assert (raised.value.actual, raised.value.limit) == (200_000_000, 150_000_000)
    for part in ("200,000,000 pixels", "20,000 x 10,000", "150,000,000", "--max-pixels"):
        assert part in str(raised.value)


def test_the_limit_is_ours_not_pillows() -> None:
    """100 megapixels make Pillow warn, and 200 make it fail; here the limit alone decides."""
    assert decode(blank_png(10_000, 10_000), asked(16)).info.width == 10_000
    assert read_info(blank_png(20_000, 10_000), Limits(max_pixels=200_000_000)).width == 20_000


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_every_format_is_held_to_the_limit(format: str) -> None:
    data = encoded(plain("red", (40, 30)), format)
    assert decode(data, asked(16), Limits(max_pixels=1200))
    for read in (lambda: decode(data, asked(16), Limits(max_pixels=1199)), lambda: read_info(data, Limits(1199))):
        with pytest.raises(ImageTooLarge, match="1,200 pixels"):
            read()


def test_the_header_of_a_bomb_is_enough() -> None:
    with pytest.raises(ImageTooLarge, match="40,000,000,000 pixels"):
        decode(bomb_png(), asked(16), Limits(max_pixels=1_000_000_000))


def test_a_webp_too_large_for_pillow_is_too_large() -> None:
    data = bytearray(encoded(Image.new("RGBA", (8, 8)), "WEBP", lossless=True, exif=exif(make="x")))
    assert data[12:16] == b"VP8X"
    data[24:30] = (15_999).to_bytes(3, "little") * 2
    with pytest.raises(ImageTooLarge, match="256,000,000 pixels"):
        decode(bytes(data), asked(16))
    with pytest.raises(UndecodableImage, match="more pixels than Pillow"):
        decode(bytes(data), asked(16), Limits(max_pixels=300_000_000))


def test_too_many_bytes() -> None:
    data = encoded(plain("red"))
    with pytest.raises(ImageTooLarge, match=r"--max-file-mb") as raised:
        decode(data, asked(16), Limits(max_bytes=len(data) - 1))
    assert raised.value.actual == len(data)
    assert decode(data, asked(16), Limits(max_bytes=len(data)))


# --- thumbnails


def test_a_thumbnail_is_never_larger_than_the_picture() -> None:
    assert thumbnail(encoded(photo(100, 50)), 320).size == (100, 50)
    assert thumbnail(encoded(photo(1001, 500)), 320).size == (320, 160)
    assert thumbnail(encoded(plain("red", (4000, 3)), "PNG"), 320).size == (320, 1)


def test_a_thumbnail_is_as_good_as_from_a_full_decode() -> None:
    data = encoded(photo(1600, 1200), quality=92)
    got = thumbnail(data, 320)
    want = Image.open(BytesIO(data)).convert("RGB").resize((320, 240), Image.Resampling.LANCZOS)
    assert got.mode == "RGB"
    assert psnr(np.asarray(got), np.asarray(want)) >= 45


# --- what a file says about itself


@pytest.mark.parametrize("format", EXIF_FORMATS)
def test_taken_at_and_camera(format: str) -> None:
    block = exif(taken_at="2024:05:17 18:03:09", changed_at="2025:01:01 00:00:00", make="Canon", model="EOS 5D")
    info = read_info(encoded(photo(60, 40), format, exif=block))
    assert info.taken_at == datetime(2024, 5, 17, 18, 3, 9)  # noqa: DTZ001
    assert info.camera == "Canon EOS 5D"


@pytest.mark.parametrize(
    ("taken_at", "changed_at", "want"),
    [
        (None, "2025:01:02 03:04:05", datetime(2025, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        ("0000:00:00 00:00:00", "2025:01:02 03:04:05", datetime(2025, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        ("2024-05-17T18:03:09+02:00", None, datetime(2024, 5, 17, 18, 3, 9)),  # noqa: DTZ001
        ("2024:05:17 18:03:09\0", None, datetime(2024, 5, 17, 18, 3, 9)),  # noqa: DTZ001
        ("2024:13:41 25:61:61", None, None),
        ("    :  :     :  :  ", None, None),
        ("yesterday", None, None),
        ("", "", None),
        (None, None, None),
    ],
)
def test_dates_are_read_with_patience(taken_at: str | None, changed_at: str | None, want: datetime | None) -> None:
    data = encoded(plain("red"), exif=exif(taken_at=taken_at, changed_at=changed_at))
    assert read_info(data).taken_at == want


@pytest.mark.parametrize(
    ("make", "model", "want"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("samsung", "SM-G991B", "samsung SM-G991B"),
        ("Apple\0\0\0", "  iPhone 13\0", "Apple iPhone 13"),
        ("SONY", None, "SONY"),
        (None, "ILCE-7M3", "ILCE-7M3"),
        ("\0 \n", " ", None),
        (None, None, None),
    ],
)
def test_cameras_are_named_once(make: str | None, model: str | None, want: str | None) -> None:
    assert read_info(encoded(plain("red"), exif=exif(make=make, model=model))).camera == want


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow looks there for the resolution, too
@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*garbage" * 9])
def test_garbage_in_exif_costs_only_the_exif(block: bytes) -> None:
    decoded = decode(encoded(quadrants(), exif=block), asked(16))
    assert corners(decoded.pixels) == UPRIGHT
    assert decoded.info.taken_at is None
    assert decoded.info.camera is None


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_an_orientation_out_of_range_is_upright(orientation: int) -> None:
    decoded = decode(encoded(quadrants(), exif=exif(orientation=orientation)), asked(16))
    assert corners(decoded.pixels) == UPRIGHT
