from __future__ import annotations

from dataclasses import replace

from indexer.manifest import Manifest
from tests.palette import PaletteEncoder

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
