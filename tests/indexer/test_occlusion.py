from __future__ import annotations

import numpy as np

from indexer.occlusion import CELLS, occlusion_maps
from tests.palette import PaletteEncoder


def test_what_is_missed_is_where_it_was() -> None:
    encoder = PaletteEncoder()
    pixels = np.full((16, 16, 3), 128, np.uint8)
    pixels[10:, :5] = (255, 0, 0)
    pixels[:4, 12:] = (0, 0, 255)
    red, blue = occlusion_maps(encoder, pixels, encoder.encode_texts(["red", "blue"]))
    assert red.shape == (CELLS, CELLS)
    assert red.dtype == np.float32
    assert np.unravel_index(int(red.argmax()), red.shape)[0] >= 5
    assert np.unravel_index(int(red.argmax()), red.shape)[1] <= 1
    row, column = np.unravel_index(int(blue.argmax()), blue.shape)
    assert row <= 1
    assert column >= 5
    assert red[0, -1] < 0.1 * red.max()  # what is covered elsewhere is not missed


def test_every_picture_is_encoded_once_in_batches() -> None:
    encoder = PaletteEncoder()
    maps = occlusion_maps(encoder, np.zeros((16, 16, 3), np.uint8), encoder.encode_texts(["red"]))
    assert encoder.image_batches == [1, 32, 32]
    np.testing.assert_allclose(maps, 0, atol=1e-6)  # one colour under its own
