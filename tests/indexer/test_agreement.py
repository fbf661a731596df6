from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from indexer.agreement import Agreement, compare
from indexer.images import FAST
from tests.palette import PaletteEncoder
from tests.pictures import photo, plain, write


def test_figures_are_of_cosines_whatever_the_lengths() -> None:
    stored = np.array([[2, 0], [0, 3], [1, 1], [1, 0]], np.float16)
    encoded = np.array([[1, 0], [0, 1], [1, 0], [-1, 0]], np.float32)
    found = Agreement.of(stored, encoded)
    assert found.lowest == -1
    assert found.median == pytest.approx((1 + 0.5**0.5) / 2)
    assert (found.number, found.far) == (4, 2)
    assert not found.reached
    assert Agreement.of(stored[:2], encoded[:2]).reached


def test_pictures_are_encoded_again_and_those_that_cannot_be_read_left_out(tmp_path: Path) -> None:
    encoder = PaletteEncoder()
    paths = [write(tmp_path / f"{n}.png", photo(40, 30, seed=n)) for n in range(3)]
    paths.append(write(tmp_path / "text.png", b"no picture"))
    red = write(tmp_path / "red.png", plain("red"))
    first = compare(encoder, [red], [encoder.encode_texts(["red"])[0]])
    assert first is not None
    assert first.median > 0.95
    vectors = [encoder.encode_texts(["blue"])[0]] * 5
    found = compare(encoder, [*paths, str(tmp_path / "gone.png")], vectors)
    assert found is not None
    assert found.number == 3
    assert not found.reached


def test_pictures_are_decoded_as_their_collection_decodes_them(tmp_path: Path) -> None:
    encoder = PaletteEncoder()
    manifest = dataclasses.replace(encoder.manifest, decode_policy=FAST.name)
    path = write(tmp_path / "a.jpg", photo(640, 480))
    stored = encoder.encode_images(manifest.decode(Path(path).read_bytes()).pixels[None])
    own, other = (compare(encoder, [path], list(stored), None, of) for of in (manifest, None))
    assert own is not None
    assert other is not None
    assert own.lowest > other.lowest


def test_without_a_readable_picture_there_is_no_figure(tmp_path: Path) -> None:
    assert compare(PaletteEncoder(), [str(tmp_path / "gone.png")], [np.ones(64)]) is None
    assert compare(PaletteEncoder(), [], []) is None
