"""Whole, mirrored, in part and in other colours."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from indexer.errors import UndecodableImage
from indexer.training.views import View


def striped() -> bytes:
    """Green on the left, blue on the right."""
    picture = Image.new("RGB", (40, 30), (0, 255, 0))
    picture.paste((0, 0, 255), (20, 0, 40, 30))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_whole_and_mirrored() -> None:
    whole = View("whole").pixels(striped(), 0)
    assert whole.shape == (225, 224, 3)
    assert whole.dtype == np.float32
    assert whole[100, 0].tolist() == [0, 255, 0]
    assert whole[100, -1].tolist() == [0, 0, 255]
    assert np.array_equal(View("mirrored").pixels(striped(), 0), whole[:, ::-1])


@pytest.mark.parametrize("kind", ["crop", "colours"])
def test_random_views_depend_on_seed_and_index_alone(kind: str) -> None:
    view = View(kind, 1)  # type: ignore[arg-type]
    shown = [view.pixels(striped(), index) for index in range(24)]
    assert np.array_equal(shown[3], view.pixels(striped(), 3))
    assert not np.array_equal(shown[3], View(view.kind, 2).pixels(striped(), 3))
    green_first = [bool(pixels[100, 0, 1] > pixels[100, 0, 2]) for pixels in shown]
    assert 5 < sum(green_first) < 19  # about half are mirrored
    assert all(pixels.min() >= 0 and pixels.max() <= 255 for pixels in shown)


def test_crops_keep_at_least_half_of_a_side() -> None:
    """0.6 of it, or, where they are stretched, 0.6 / exp(0.15) = 0.52: some of both halves is always seen."""
    shown = [View("crop", 0).pixels(striped(), index)[100] for index in range(60)]
    share = [float((row[:, 1] > row[:, 2]).mean()) for row in shown]
    assert 0 < min(share) < 0.3
    assert 0.7 < max(share) < 1


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UndecodableImage):
        View("whole").pixels(b"no picture", 0)
