from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.errors import WeightsNotFound
from indexer.probes import TEXTS, probes
from tests.palette import PaletteEncoder


def test_the_texts_are_two_hundred_different_ones() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == 200
    assert "a photo of a red car" in TEXTS


def test_they_are_encoded_once_and_kept(tmp_path: Path) -> None:
    encoder = PaletteEncoder()
    first = probes(tmp_path / "vectors", encoder.manifest, encoder)
    again = probes(tmp_path / "vectors", encoder.manifest, encoder)
    assert first is not None
    assert first.shape == (200, 64)
    assert np.array_equal(first, again)  # type: ignore[arg-type]
    assert np.array_equal(first, probes(tmp_path / "vectors", encoder.manifest, None))  # type: ignore[arg-type]
    assert encoder.text_batches == [200]


def test_each_set_of_texts_has_a_file_of_its_own(tmp_path: Path) -> None:
    encoder = PaletteEncoder()
    probes(tmp_path, encoder.manifest, encoder)
    words = probes(tmp_path, encoder.manifest, encoder, ["red", "blue"], named="words")
    assert words is not None
    assert np.array_equal(words, encoder.encode_texts(["red", "blue"]))
    assert probes(tmp_path, encoder.manifest, None) is not None
    assert probes(tmp_path, encoder.manifest, None, ["red"], named="words") is None
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == ["probes", "words"]


def test_another_model_has_others(tmp_path: Path) -> None:
    encoder = PaletteEncoder()
    probes(tmp_path, encoder.manifest, encoder)
    other = replace(encoder.manifest, weights_hash="1" * 64)
    assert probes(tmp_path, other, None) is None
    assert probes(tmp_path, other, encoder) is not None
    assert len(list(tmp_path.iterdir())) == 1
    assert encoder.text_batches == [200, 200]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
def test_a_damaged_file_is_made_anew(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    encoder = PaletteEncoder()
    first = probes(tmp_path, encoder.manifest, encoder)
    harm(next(tmp_path.iterdir()))
    assert probes(tmp_path, encoder.manifest, None) is None
    assert np.array_equal(first, probes(tmp_path, encoder.manifest, encoder))  # type: ignore[arg-type]


class WithoutWeights(PaletteEncoder):
    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise WeightsNotFound("palette", ["here"])


def test_a_model_that_cannot_be_loaded_is_no_reason_to_fail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoder = WithoutWeights()
    assert probes(tmp_path, encoder.manifest, encoder) is None
    assert "nothing is calibrated with texts" in caplog.text


def test_a_place_that_cannot_be_written_costs_only_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("a file where the folder should be")
    encoder = PaletteEncoder()
    assert probes(tmp_path / "vectors", encoder.manifest, encoder) is not None
