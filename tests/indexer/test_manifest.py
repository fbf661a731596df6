from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from indexer.images import CAREFUL, FAST, decode, of_files, of_thumbnails
from indexer.manifest import Manifest
from tests.palette import PaletteEncoder
from tests.pictures import encoded, photo

MANIFEST = PaletteEncoder().manifest


def test_json_keeps_every_field() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_precision_alone_is_compatible_and_anything_else_is_named() -> None:
    assert MANIFEST.difference(replace(MANIFEST, precision="bfloat16")) is None
    assert MANIFEST.difference(replace(MANIFEST, weights_hash="1" * 64)) == ("weights hash", "0" * 64, "1" * 64)
    assert MANIFEST.difference(replace(MANIFEST, dimension=5)) == ("dimension", "64", "5")
    other = replace(MANIFEST.preprocessing, height=17)
    difference = MANIFEST.difference(replace(MANIFEST, preprocessing=other))
    assert difference is not None
    assert difference[0] == "preprocessing"


def test_the_same_weights_under_another_name_are_the_same_model() -> None:
    assert MANIFEST.difference(replace(MANIFEST, model="local-dir:/moved")) is None
    assert MANIFEST.difference(replace(MANIFEST, model="other", weights_hash="1" * 64)) is not None


def test_the_decode_policy_is_the_collections_own_as_long_as_we_know_it() -> None:
    fast = replace(MANIFEST, decode_policy=FAST.name)
    assert fast.difference(MANIFEST) is None
    assert MANIFEST.difference(fast) is None
    unknown = replace(MANIFEST, decode_policy="of tomorrow")
    assert unknown.difference(MANIFEST) == ("decode policy", "of tomorrow", MANIFEST.decode_policy)


@pytest.mark.parametrize("policy", [CAREFUL.name, FAST.name])
def test_that_thumbnails_were_taken_is_recorded_and_changes_nothing_else(policy: str) -> None:
    ours = replace(MANIFEST, decode_policy=policy)
    noted = replace(ours, decode_policy=of_thumbnails(policy))
    assert (ours.has_thumbnails, noted.has_thumbnails) == (False, True)
    assert noted.difference(ours) is ours.difference(noted) is None
    data = encoded(photo(200, 150))
    assert np.array_equal(noted.decode(data).pixels, ours.decode(data).pixels)
    assert of_thumbnails(noted.decode_policy) == noted.decode_policy
    assert of_files(noted.decode_policy) == policy


def test_pictures_are_decoded_by_the_policy_that_is_recorded() -> None:
    data, preprocessing = encoded(photo(200, 150)), MANIFEST.preprocessing
    careful = MANIFEST.decode(data).pixels
    fast = Manifest.from_json(replace(MANIFEST, decode_policy=FAST.name).to_json()).decode(data).pixels
    assert np.array_equal(careful, decode(data, preprocessing).pixels)
    assert np.array_equal(fast, decode(data, preprocessing, policy=FAST).pixels)
    assert not np.array_equal(careful, fast)
