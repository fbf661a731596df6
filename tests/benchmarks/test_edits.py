from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.edits import FAMILIES, cropped
from indexer.images import read_info
from tests.pictures import photo


@pytest.mark.parametrize("family", FAMILIES)
def test_every_edit_makes_another_file_of_the_picture_and_the_same_for_the_same_seed(family: str) -> None:
    picture = photo(160, 120)
    for name, edit in FAMILIES[family].items():
        data = edit(picture, random.Random(1))
        assert edit(picture, random.Random(1)) == data, name
        info = read_info(data)
        assert info.format == {"WebP, quality 30 to 95": "webp", "PNG": "png"}.get(name, "jpeg")
        assert min(info.width, info.height) >= 24, name


def test_crops_have_the_share_that_was_asked_for_and_lie_inside() -> None:
    picture = photo(400, 300)
    shares, places = [], set()
    for seed in range(40):
        part = cropped(picture, random.Random(seed), 0.5, 0.65)
        shares.append(part.width * part.height / (400 * 300))
        places.add(part.tobytes()[:30])
    assert 0.49 < min(shares) < 0.53
    assert 0.62 < max(shares) < 0.66
    assert len(places) > 30
    assert np.std(shares) > 0.03
