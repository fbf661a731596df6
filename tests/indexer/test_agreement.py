from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.agreement import Agreement, compare
from indexer.images import FAST
from tests.palette import PaletteEncoder
from tests.pictures import encoded, photo, plain, write


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


class Watched(PaletteEncoder):
    """Keeps the pixels that it was given."""

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen = pixels
        return super().encode_images(pixels)


def test_pictures_are_decoded_as_their_collection_decodes_them(tmp_path: Path) -> None:
    encoder = Watched()
    data = encoded(photo(160, 120))
    path = write(tmp_path / "a.jpg", data)
    fast = dataclasses.replace(encoder.manifest, decode_policy=FAST.name)
    stored = list(encoder.encode_images(fast.decode(data).pixels[None]))
    compare(encoder, [path], stored, manifest=fast)
    assert (encoder.seen[0] == fast.decode(data).pixels).all()
    compare(encoder, [path], stored)
    assert (encoder.seen[0] != fast.decode(data).pixels).any()


def test_without_a_readable_picture_there_is_no_figure(tmp_path: Path) -> None:
    assert compare(PaletteEncoder(), [str(tmp_path / "gone.png")], [np.ones(64)]) is None
    assert compare(PaletteEncoder(), [], []) is None
