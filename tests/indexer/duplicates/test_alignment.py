from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from indexer.duplicates.alignment import Aligned, align_finely, align_roughly
from indexer.duplicates.fingerprints import fingerprint_of
from tests.pictures import photo, plain


def _small(picture: Image.Image) -> np.ndarray:
    return fingerprint_of(np.asarray(picture.resize((32, 32), Image.Resampling.BICUBIC, reducing_gap=2.0))).grey


def _aligned(template: Image.Image, scene: Image.Image) -> tuple[Aligned, Aligned]:
    """Roughly and finely."""
    greys = np.stack([_small(template), _small(scene)])
    shape = np.array([np.log(template.width / template.height * scene.height / scene.width)], np.float32)
    rows = np.array([0]), np.array([1])
    rough = align_roughly(greys, *rows, shape, lambda: None)
    return rough, align_finely(greys, *rows, shape, rough.boxes, lambda: None)


@pytest.mark.parametrize("seed", range(4))
def test_a_crop_is_found_where_it_was(seed: int) -> None:
    scene, rng = photo(400, 300, seed=seed), np.random.default_rng(seed)
    width, height = rng.uniform(0.72, 0.95, 2)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    box = [round(side) for side in (left * 400, top * 300, (left + width) * 400, (top + height) * 300)]
    crop = scene.crop(tuple(box))  # type: ignore[arg-type]
    rough, fine = _aligned(crop.resize((crop.width * 2, crop.height * 2)), scene)
    assert rough.scores[0] > 0.8
    assert fine.scores[0] > 0.93
    assert np.abs(fine.boxes[0] - (left, top, width, height)).max() < 0.06


def test_the_same_picture_fills_the_scene_also_brighter_or_stretched() -> None:
    picture = photo(400, 300)
    for changed in (picture, picture.point([value // 2 + 60 for value in range(256)] * 3), picture.resize((200, 300))):
        _, fine = _aligned(changed, picture)
        assert fine.scores[0] > 0.99
        assert fine.boxes[0, 2] * fine.boxes[0, 3] > 0.95


def test_other_pictures_agree_less_and_flat_ones_with_nothing() -> None:
    best = [_aligned(photo(400, 300, seed=seed), photo(400, 300, seed=seed + 20))[1].scores[0] for seed in range(10)]
    assert max(best) < 0.85
    assert _aligned(plain("gray"), photo())[1].scores[0] == 0
    assert _aligned(photo(), plain("gray"))[0].scores[0] == 0


def test_many_pairs_at_once_are_each_what_they_are_alone() -> None:
    greys = np.stack([_small(photo(80, 60, seed=seed)) for seed in range(40)])
    template, scene = np.divmod(np.arange(0, 1600, 7), 40)
    shape = np.zeros(len(template), np.float32)
    together = align_roughly(greys, template, scene, shape, lambda: None)
    for place in (0, 100, len(template) - 1):
        one = slice(place, place + 1)
        alone = align_roughly(greys, template[one], scene[one], shape[one], lambda: None)
        assert alone.scores[0] == pytest.approx(together.scores[place], abs=1e-5)
    assert (together.scores[template == scene] > 0.999).all()


def test_it_ends_where_the_caller_wants_it_to() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align_roughly(np.zeros((1, 32, 32), np.uint8), np.array([0]), np.array([0]), np.zeros(1, np.float32), stop)
