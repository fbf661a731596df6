"""Gzip files read from anywhere."""

from __future__ import annotations

import gzip
import random
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from indexer.sources import gzipped
from indexer.sources.gzipped import GzippedFile


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """600 kB, half of it hardly compressible, with places close to each other, and few of them."""
    monkeypatch.setattr(gzipped, "_SPACING", 8_192)
    monkeypatch.setattr(gzipped, "_PLACES", 16)
    dice = random.Random(0)
    return b"".join(dice.randbytes(3_000) + bytes(3_000) for _ in range(100))


@pytest.mark.parametrize("parts", [1, 3])
def test_every_part_is_the_same_as_in_the_whole(content: bytes, tmp_path: Path, parts: int) -> None:
    """Also where several gzip files stand in a row, and zeros behind them."""
    step = len(content) // parts
    packed = [gzip.compress(content[start : start + step]) for start in range(0, len(content), step)]
    (tmp_path / "x.gz").write_bytes(b"".join(packed) + bytes(20_000))
    file = GzippedFile(str(tmp_path / "x.gz"))
    with file.stream() as stream:
        assert stream.read() == content
    assert file.size == len(content)
    assert 8 <= len(file._places) <= 16
    dice = random.Random(1)
    for at in (0, *(dice.randrange(len(content)) for _ in range(40)), len(content) - 5, len(content)):
        assert file.read(at, 7_000) == content[at : at + 7_000]


def test_no_more_is_decompressed_than_from_the_place_before(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gzipped, "_CHUNK", 1_024)
    monkeypatch.setattr(gzipped, "_PLACES", 1_000)
    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    file = GzippedFile(str(tmp_path / "x.gz"))
    with file.stream() as stream:
        stream.read()
    places = [place.at for place in file._places]
    assert max(after - before for before, after in pairwise(places)) < 3 * 8_192


@pytest.mark.parametrize(("damage", "error"), [("cut", EOFError), ("changed", zlib.error), ("empty", EOFError)])
def test_what_is_damaged_is_said(content: bytes, tmp_path: Path, damage: str, error: type[Exception]) -> None:
    packed = gzip.compress(content)
    middle = len(packed) // 2
    damaged = {"cut": packed[:-4], "changed": packed[:middle] + bytes(64) + packed[middle + 64 :], "empty": b""}
    (tmp_path / "x.gz").write_bytes(damaged[damage])
    with pytest.raises(error), GzippedFile(str(tmp_path / "x.gz")).stream() as stream:
        stream.read()
