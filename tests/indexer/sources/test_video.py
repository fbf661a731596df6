"""Frames of videos that PyAV makes here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from indexer.errors import SourceNotFound, UnreadableImage
from indexer.originals import Originals
from indexer.sources import video
from indexer.sources.video import VideoSource, chosen, difference, histogram
from tests.indexer.sources.conftest import Library, listed
from tests.palette import COLOURS
from tests.pictures import encoded, photo

RATE = 8  # frames a second


def make_video(path: Path, scenes: Sequence[tuple[str, float]], *, key_every: int = RATE, rotate: int = 0) -> str:
    """Each scene a colour and its seconds, with a bar that moves; a key frame at each beginning and `key_every`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx" if path.suffix == ".webm" else "mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = key_every
        number = 0
        for colour, seconds in scenes:
            for at in range(round(seconds * RATE)):
                picture = Image.new("RGB", (64, 48), COLOURS[colour])
                picture.paste((128, 128, 128), (number % 60, 0, number % 60 + 4, 8))
                frame = av.VideoFrame.from_image(picture)
                frame.pts = number
                frame.time_base = 1 / stream.codec_context.framerate
                if at == 0:
                    frame.pict_type = av.video.frame.PictureType.I
                container.mux(stream.encode(frame))
                number += 1
        container.mux(stream.encode())
    return str(path)


def colour_of(data: bytes) -> str:
    pixel = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[40, 32].astype(int)
    return min(COLOURS, key=lambda name: np.abs(pixel - COLOURS[name]).sum())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def seconds_of(paths: Sequence[str]) -> list[float]:
    return [float(path.partition("#t=")[2]) for path in paths]


def test_a_frame_where_the_scene_changes_and_now_and_then(tmp_path: Path, cache: Path) -> None:
    path = make_video(tmp_path / "x.mp4", [("red", 3), ("blue", 3), ("green", 6)])
    source = VideoSource([path], cache=cache, every=4)
    found = listed(source)
    assert seconds_of(found) == [0, 3, 6, 10]
    assert [colour_of(source.read(frame)) for frame in found] == ["red", "blue", "green", "green"]
    assert source.count() is None


def test_between_key_frames_that_are_far_apart_frames_are_taken_too(tmp_path: Path, cache: Path) -> None:
    path = make_video(tmp_path / "x.mp4", [("red", 9)], key_every=1000)
    source = VideoSource([path], cache=cache, every=2)
    found = listed(source)
    assert seconds_of(found) == [0, 2, 4, 6]
    assert len({source.read(frame) for frame in found}) == 4  # the bar has moved
    assert source.read(found[3]) == Originals().read(found[3])


def test_which_key_frames_are_chosen() -> None:
    red, dark, blue = (
        histogram(np.full((4, 4, 3), colour, np.uint8)) for colour in ((255, 0, 0), (250, 9, 9), (0, 0, 255))
    )
    assert (difference(red, dark), difference(red, blue)) == (0, 1)
    times = [(0.0, red), (0.5, blue), (1.2, blue), (2.0, blue), (11.0, blue), (11.5, blue), (11.9, red), (12.2, red)]
    assert list(chosen(times, every=10, end=12.5)) == [0.0, 1.2, 11.5]
    assert list(chosen([(0.0, red)], every=10, end=35)) == [0, 10, 20, 30]
    assert list(chosen([], every=10, end=35)) == []


def test_frames_become_images_once(
    tmp_path: Path, cache: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "v" / "x.mp4", [("red", 2), ("blue", 2)])
    make_video(tmp_path / "v" / "x" / "y.MOV", [("green", 2)])
    assert library.sync(VideoSource([str(tmp_path / "v")], cache=cache)) == {"added": 3}
    before = library.ids
    monkeypatch.setattr(video, "_opened", lambda path: pytest.fail("opened again"))
    assert library.sync(VideoSource([str(tmp_path / "v")], cache=cache)) == {"unchanged": 3}
    monkeypatch.undo()
    Path(path).rename(tmp_path / "v" / "z.mp4")
    assert library.sync(VideoSource([str(tmp_path / "v")], cache=cache)) == {"unchanged": 1, "moved": 2}
    assert set(library.ids.values()) == set(before.values())


def test_a_turned_video_is_upright(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phones write a turn into the file; PyAV gives it with each frame, in degrees against the clock."""
    path = make_video(tmp_path / "x.mp4", [("red", 1)])

    class Turned:
        rotation = -90

        def __init__(self, frame: av.VideoFrame) -> None:
            self._frame = frame

        def to_ndarray(self, format: str) -> np.ndarray:
            pixels = self._frame.to_ndarray(format=format)
            pixels[:, :32] = (0, 0, 255)  # the left half
            return pixels

    plain = video._bmp
    monkeypatch.setattr(video, "_bmp", lambda frame: plain(Turned(frame)))
    source = VideoSource([path], cache=cache)
    picture = Image.open(io.BytesIO(source.read(listed(source)[0])))
    assert picture.size == (48, 64)
    assert picture.getpixel((24, 10)) == (0, 0, 255)  # a clockwise turn: what was left is above
    assert picture.getpixel((24, 50)) != (0, 0, 255)


def test_videos_that_are_none(tmp_path: Path, cache: Path, library: Library) -> None:
    whole = Path(make_video(tmp_path / "v" / "whole.mp4", [("red", 2)]))
    (tmp_path / "v" / "cut.mp4").write_bytes(whole.read_bytes()[:500])
    (tmp_path / "v" / "text.mp4").write_bytes(b"no video " * 100)
    (tmp_path / "v" / "empty.mp4").write_bytes(b"")
    with av.open(str(tmp_path / "v" / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    report = library.report(VideoSource([str(tmp_path / "v")], cache=cache))
    assert report.added == 1
    reasons = {Path(failure.path).name: failure.reason for failure in report.failures}
    assert reasons.keys() == {"cut.mp4", "text.mp4", "empty.mp4", "sound.mp4"}
    assert reasons["sound.mp4"] == "there is no picture in it, only sound"
    with pytest.raises(UnreadableImage, match="ends before"):
        Originals().read(f"{whole}#t=000100.000")
    with pytest.raises(UnreadableImage, match="cannot be read"):
        Originals().read(f"{tmp_path}/none.mp4#t=000000.000")
    with pytest.raises(SourceNotFound):
        VideoSource([str(tmp_path / "none.mp4")], cache=cache)


def test_a_video_that_cannot_be_read_any_more_loses_no_frame(tmp_path: Path, cache: Path, library: Library) -> None:
    path = Path(make_video(tmp_path / "x.mp4", [("red", 2), ("blue", 2)]))
    other = make_video(tmp_path / "y.mp4", [("green", 1)])
    library.sync(VideoSource([str(path), other], cache=cache))
    path.write_bytes(b"damaged")
    assert library.sync(VideoSource([str(path), other], cache=cache)) == {"unchanged": 1, "failed": 1}
    assert len(library.ids) == 3


def test_a_picture_of_the_same_pixels_is_a_copy(tmp_path: Path, cache: Path) -> None:
    """A frame comes as it was decoded, without another loss."""
    path = make_video(tmp_path / "x.mp4", [("red", 1)])
    source = VideoSource([path], cache=cache)
    data = source.read(listed(source)[0])
    with av.open(path) as container:
        first = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), first)
    assert len(encoded(photo(64, 48), "BMP")) == len(data)
