"""A gzip file, read from anywhere: what the decompression knows is kept now and then, and gone on with from there.

Nothing is unpacked to the disk. What is kept is 38 kB a place, measured, and no more than 256 places a file.
"""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_CHUNK: Final = 16 << 10
"""Of compressed bytes at once: 16 MB at most when they are decompressed."""
_SPACING: Final = 4 << 20
"""Bytes between two places at first. A picture of 60 kB in a .tar.gz of 300 MB took 6 to 13 ms, in the .tar 0.03."""
_PLACES: Final = 256
_GZIP: Final = 31  # zlib's window of 32 KB, with the header and checksum of gzip


@dataclass(frozen=True, slots=True)
class _Place:
    at: int
    """Of the decompressed bytes."""
    compressed_at: int
    state: Any = field(repr=False)
    """zlib's decompressor; copied before it is used."""


class GzippedFile:
    """Any number of threads may use `read` at once, after one has gone through all of `stream`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._spacing = _SPACING
        self.size = 0
        """Of what is decompressed, as far as the stream was read."""
        self._places = [_Place(0, 0, zlib.decompressobj(_GZIP))]

    def stream(self) -> io.BufferedReader:
        """All of it, from its start. Reading raises OSError, zlib.error where it is damaged, EOFError if cut short."""
        return io.BufferedReader(_Stream(self._blocks(self._places[0], remember=True)), _CHUNK)

    def read(self, at: int, size: int) -> bytes:
        """That much of the decompressed bytes, less at the end. Raises as reading the stream."""
        place = self._places[bisect_right(self._places, at, key=lambda place: place.at) - 1]
        found, position = bytearray(), place.at
        for block in self._blocks(place, remember=False):
            found += block[max(0, at - position) : at + size - position]
            position += len(block)
            if position >= at + size:
                break
        return bytes(found)

    def _blocks(self, place: _Place, *, remember: bool) -> Generator[bytes, None, None]:
        at, state = place.at, place.state.copy()
        with Path(self._path).open("rb") as file:
            file.seek(place.compressed_at)
            while data := file.read(_CHUNK):
                while data:
                    if state.eof:  # several gzip files in a row are one, and zeros may follow
                        data = data.lstrip(b"\0")
                        if not data:
                            break
                        state = zlib.decompressobj(_GZIP)
                    block = state.decompress(data)
                    data = state.unused_data
                    at += len(block)
                    yield block
                if remember:
                    self._note(_Place(at, file.tell(), state))
        if not state.eof:
            raise EOFError("it is cut short")

    def _note(self, place: _Place) -> None:
        """Fewer and further apart once they are many."""
        self.size = place.at
        if place.state.eof or place.at - self._places[-1].at < self._spacing:
            return
        self._places.append(_Place(place.at, place.compressed_at, place.state.copy()))
        if len(self._places) > _PLACES:
            self._places, self._spacing = self._places[::2], 2 * self._spacing


class _Stream(io.RawIOBase):
    """Blocks one after the other as a file."""

    def __init__(self, blocks: Generator[bytes, None, None]) -> None:
        self._blocks, self._block = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._block:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._block = memoryview(block)
        size = min(len(buffer), len(self._block))
        buffer[:size], self._block = self._block[:size], self._block[size:]
        return size

    def close(self) -> None:
        self._blocks.close()
        super().close()
