from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.encoder import load_encoder
from indexer.errors import InvalidQuery, ModelLoadFailed, UndecodableImage
from search.heat_map import FLAT, HeatMaps, relevance
from search.heat_picture import peak
from tests.checkpoints import make_checkpoint
from tests.palette import COLOURS, PaletteEncoder
from tests.pictures import encoded, photo

PHOTO = encoded(photo(80, 60))


def halves(left: str, right: str, size: tuple[int, int] = (80, 40)) -> bytes:
    picture = Image.new("RGB", size, COLOURS[left])
    picture.paste(COLOURS[right], (size[0] // 2, 0, *size))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def maps() -> HeatMaps:
    encoder = PaletteEncoder()
    return HeatMaps(encoder, encoder.manifest)


def test_each_word_is_found_where_it_is(maps: HeatMaps) -> None:
    picture = halves("red", "blue")
    red, blue = PaletteEncoder().encode_texts(["red", "blue"])
    assert peak(maps.of(picture, red))[0] < 0.5 < peak(maps.of(picture, blue))[0]
    found = maps.of(picture, red)
    assert found.method == "occlusion"  # this encoder has no tower to take apart
    assert not found.flat
    assert found.picture == (80, 40)
    assert found.frame == (16, 16)


def test_one_colour_all_over_is_flat(maps: HeatMaps) -> None:
    [red] = PaletteEncoder().encode_texts(["red"])
    found = maps.of(halves("red", "red"), red)
    assert found.flat
    assert found.contrast == 0


def test_a_grid_that_is_not_there_is_refused_and_so_is_no_picture(maps: HeatMaps) -> None:
    [red] = PaletteEncoder().encode_texts(["red"])
    with pytest.raises(InvalidQuery, match="take the method 'occlusion'"):
        maps.of(halves("red", "blue"), red, "grid")
    with pytest.raises(UndecodableImage):
        maps.of(b"no picture", red)


def test_relevance_is_measured_in_the_contrast_of_any_words() -> None:
    query = [[1.0, 5.0], [1.0, 1.0]]  # 3 above its mean
    others = [[[0.0, 2.0], [0.0, 2.0]], [[1.0, 7.0], [4.0, 4.0]], [[0.0, 4.0], [0.0, 4.0]]]  # 1, 3 and 2 above theirs
    found = relevance(np.array([query, *others], np.float32))
    np.testing.assert_allclose(found, [[-0.5, 1.5], [-0.5, -0.5]])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(relevance(np.ones((4, 2, 2), np.float32)), np.zeros((2, 2)))
    assert FLAT < 1.5


def test_a_model_with_a_grid_uses_it_unless_told(tmp_path: Path) -> None:
    encoder = load_encoder(str(make_checkpoint(tmp_path / "model")), precision="float32")
    maps, [query] = HeatMaps(encoder, encoder.manifest), encoder.encode_texts(["the red dog"])
    assert maps.of(PHOTO, query).method == "grid"
    assert maps.of(PHOTO, query).relevance.shape == (4, 4)
    assert maps.of(PHOTO, query, "occlusion").method == "occlusion"


def test_weights_that_changed_since_are_not_mixed(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model")
    encoder = load_encoder(str(folder), precision="float32")
    [query] = encoder.encode_texts(["the red dog"])
    make_checkpoint(folder, seed=1)
    with pytest.raises(ModelLoadFailed, match="weights have changed"):
        HeatMaps(encoder, encoder.manifest).of(PHOTO, query)
