"""Frames of videos: where the scene changes, and now and then where it does not.

Only key frames are decoded to find them: encoders put one where the scene changes, and it is read again without the
frames before it. How different two are is half the sum of the differences of their colour histograms.
"""

from __future__ import annotations

import importlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.errors import BrokenInstallation, UnreadableImage
from indexer.sources.address import VIDEO_SUFFIXES, Address, frame, parse
from indexer.sources.containers import Containers
from indexer.sources.files import reason_of, status_of
from indexer.sources.source import UNKNOWN_SIZE, SourceFile, SourceProblem, Version, stamp

SCENE_CHANGE: Final = 0.3
"""Half the L1 distance of two colour histograms, 0 to 1, from which on they are two scenes."""
EVERY_SECONDS: Final = 10.0
"""A frame at least so often, unless another number is asked for."""
LEAST_SECONDS: Final = 1.0
"""And no more often than that."""
_SMALL: Final = (64, 36)
_LEVELS: Final = 4  # of each colour: 64 cells
_EXACT: Final = 0.001  # seconds: addresses are rounded to half of it, and frames are further apart
_CACHE_VERSION: Final = 1

Histogram = NDArray[np.float32]
"""`(64,)`, its sum 1."""


class Frames:
    """See `Reader`. A frame comes as a BMP file: nothing is lost, and the same pixels are always the same bytes."""

    def read(self, address: Address) -> bytes:
        assert address.seconds is not None
        try:
            with _opened(address.container) as video:
                return video.picture(address.seconds)
        except OSError as error:
            raise UnreadableImage(f"{address.container} cannot be read ({reason_of(error)})") from error

    def look(self, address: Address) -> Version | None:
        status = status_of(address.container)
        return None if status is None else _version(status)


class VideoSource:
    """The frames of some videos."""

    def __init__(self, places: Sequence[str], *, cache: Path, every: float = EVERY_SECONDS) -> None:
        """`places`: videos, and folders of videos. `cache` is where it is kept which frames were found.

        Raises SourceNotFound, BrokenInstallation.
        """
        _library()
        self._containers = Containers(places, suffixes=VIDEO_SUFFIXES, mark="#")
        self._times = FrameTimes(cache, every)
        self._reader = Frames()

    @property
    def root(self) -> str:
        """Of a single video its folder: frames lie below that."""
        root = self._containers.root
        return os.path.dirname(root) if root.endswith("#") else root  # noqa: PTH120

    @property
    def kind(self) -> str:
        return "video"

    def owns(self, path: str) -> bool:
        address = parse(path)
        return address.kind == "video" and self._containers.has(address.container)

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        for found in self._containers.walk():
            if isinstance(found, SourceProblem):
                yield found
            else:
                yield from self._frames(found)

    def count(self) -> None:
        """See `ImageSource`."""
        return

    def read(self, path: str) -> bytes:
        return self._reader.read(parse(path))

    def _frames(self, video: SourceFile) -> Iterator[SourceFile | SourceProblem]:
        version = Version(UNKNOWN_SIZE, stamp(video.size, video.mtime_ns))
        try:
            for seconds in self._times.of(video):
                yield SourceFile(frame(video.path, seconds), version.size, version.mtime_ns)
        except (UnreadableImage, OSError) as error:
            yield SourceProblem(video.path, str(error))


class FrameTimes:
    """Which frames of a video are taken. What was found once is kept for as long as the file stays as it is."""

    def __init__(self, cache: Path, every: float) -> None:
        self._folder, self._every = cache, every

    def of(self, video: SourceFile) -> Iterator[float]:
        """Ascending seconds. Raises UnreadableImage, OSError."""
        kept = self._folder / f"{stamp(_CACHE_VERSION, video.path, video.size, video.mtime_ns, self._every):016x}.json"
        try:
            yield from json.loads(kept.read_text())
            return
        except (OSError, ValueError):
            pass  # not found yet
        found: list[float] = []
        with _opened(video.path) as opened:
            for seconds in chosen(opened.key_frames(), self._every, opened.seconds):
                found.append(seconds)
                yield seconds
        _keep(kept, found)


def chosen(key_frames: Iterable[tuple[float, Histogram]], every: float, end: float) -> Iterator[float]:
    """Of `(seconds, histogram)`: the first, each that differs from the one chosen last, and one `every` so often.

    Where key frames are further apart than that, frames in between are taken, up to the `end`.
    """
    last, seen = 0.0, None
    for seconds, histogram in key_frames:
        if seen is None:
            last, seen = seconds, histogram
            yield seconds
            continue
        while seconds - last > every + LEAST_SECONDS:
            last += every
            yield last
        far = seconds - last
        if far >= every or (far >= LEAST_SECONDS and difference(histogram, seen) >= SCENE_CHANGE):
            last, seen = seconds, histogram
            yield seconds
    while seen is not None and end - last > every + LEAST_SECONDS:
        last += every
        yield last


def difference(one: Histogram, other: Histogram) -> float:
    """0: the same colours. 1: none in common."""
    return float(np.abs(one - other).sum() / 2)


def histogram(pixels: NDArray[np.uint8]) -> Histogram:
    """Of `(height, width, 3)` RGB."""
    levels = pixels.reshape(-1, 3) // (256 // _LEVELS)
    cells = (levels[:, 0].astype(np.intp) * _LEVELS + levels[:, 1]) * _LEVELS + levels[:, 2]
    counted = np.bincount(cells, minlength=_LEVELS**3)
    return (counted / len(cells)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Video:
    """A video while it is open."""

    container: Any
    stream: Any
    start: Fraction
    """Seconds at which its pictures begin by its own clock."""

    @property
    def seconds(self) -> float:
        """How long it is; 0 if it does not say."""
        if self.stream.duration:
            return float(self.stream.duration * self.stream.time_base)
        return self.container.duration / 1e6 if self.container.duration else 0.0

    def key_frames(self) -> Iterator[tuple[float, Histogram]]:
        self.stream.codec_context.skip_frame = "NONKEY"
        last = -1.0
        for decoded in self._decoded():
            if decoded.pts is not None and (seconds := self._at(decoded)) > last:
                last = seconds
                width, height = _SMALL
                yield seconds, histogram(decoded.to_ndarray(width=width, height=height, format="rgb24"))
        if last < 0:
            raise UnreadableImage("there is no frame in it that can be decoded")

    def picture(self, seconds: float) -> bytes:
        """The first frame that is not before it, upright, as a BMP file. Raises UnreadableImage."""
        where = Fraction(seconds + _EXACT).limit_denominator(10**6) + self.start
        self._seek(int(where / self.stream.time_base))
        for decoded in self._decoded():
            if decoded.pts is not None and self._at(decoded) >= seconds - _EXACT:
                return _bmp(decoded)
        raise UnreadableImage(f"the video ends before {seconds:.3f} s")

    def _at(self, decoded: Any) -> float:
        return float(decoded.pts * decoded.time_base - self.start)

    def _seek(self, offset: int) -> None:
        try:
            self.container.seek(offset, stream=self.stream)
        except _errors() as error:
            raise UnreadableImage(f"the video cannot be read there ({_reason(error)})") from error

    def _decoded(self) -> Iterator[Any]:
        """As far as it can be decoded: what is damaged in the middle of a video is passed over."""
        for packet in self._packets():
            try:
                frames = packet.decode()
            except _errors():
                continue
            yield from frames

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self.container.demux(self.stream)
        except _errors():
            return  # cut short: what came before stands


@contextmanager
def _opened(path: str) -> Iterator[_Video]:
    """Raises UnreadableImage, OSError."""
    av = _library()
    Path(path).stat()  # its own errors say what is wrong with the file, FFmpeg's what with the video
    try:
        container = av.open(path)
    except _errors() as error:
        raise UnreadableImage(f"no video that can be decoded ({_reason(error)})") from error
    with container:
        if not container.streams.video:
            raise UnreadableImage("there is no picture in it, only sound")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield _Video(container, stream, (stream.start_time or 0) * (stream.time_base or Fraction(1)))


def _bmp(decoded: Any) -> bytes:
    pixels = decoded.to_ndarray(format="rgb24")
    turned = np.rot90(pixels, round(decoded.rotation / 90)) if decoded.rotation else pixels
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turned)).save(buffer, "BMP")
    return buffer.getvalue()


def _version(status: os.stat_result) -> Version:
    return Version(UNKNOWN_SIZE, stamp(status.st_size, status.st_mtime_ns))


def _keep(path: Path, times: list[float]) -> None:
    """Whole or not at all; without it they are found again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(times))
        new.replace(path)
    except OSError:
        return


def _library() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise BrokenInstallation(
            f"frames of videos need PyAV ({error}); install it with `pip install 'sightline[video]'`"
        ) from error


def _errors() -> Any:
    return _library().FFmpegError


def _reason(error: Any) -> str:
    return " ".join(str(error.strerror or error).split())
