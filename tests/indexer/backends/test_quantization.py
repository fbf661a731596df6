"""int8: made from a collection's pictures, and refused unless it does as well on others of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import indexer.backends.quantization as quantization
from indexer.backends.quantization import Trial, trial, unit_rows
from indexer.backends.samples import Quantising, Sample, samples_of
from indexer.encoder import OpenClipEncoder, load_encoder
from indexer.images import Limits, Preprocessing
from indexer.sources import FolderSource
from tests.checkpoints import DIMENSION, make_checkpoint
from tests.pictures import photo, write


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_checkpoint(tmp_path_factory.mktemp("model") / "clip"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(48):
        write(folder / f"{number:02}.jpg", photo(40, 40, seed=number))
    return folder


def load(model: str, photos: Path | None, cache: Path, collection: str = "library") -> OpenClipEncoder:
    samples = samples_of(FolderSource(photos), Limits()) if photos else None
    quantising = Quantising(collection, samples)
    return load_encoder(model, backend="openvino", precision="int8", cache=cache, quantising=quantising)


def test_int8_that_does_as_well_is_taken_and_found_again(
    model: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The bounds are lowered: this network of 32 channels and random weights has no room for error."""
    monkeypatch.setattr(quantization, "LEAST_COSINE", 0.9)
    monkeypatch.setattr(quantization, "LEAST_OVERLAP", 0.3)
    first = load(model, photos, tmp_path)
    assert first.manifest.precision == "int8"
    assert "is accepted: on 24 other pictures" in first.choice.why
    again = load(model, None, tmp_path)
    assert again.choice == first.choice
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    rows = again.encode_images(pixels)
    np.testing.assert_allclose(rows, first.encode_images(pixels), atol=1e-5)
    exact = load_encoder(model, precision="float32")
    assert exact.manifest.difference(again.manifest) is None
    cosines = (rows * exact.encode_images(pixels)).sum(1)
    assert cosines.min() > 0.9
    assert cosines.max() < 0.999999, "this is not int8"
    assert "not used" not in caplog.text


def test_int8_that_does_worse_is_refused_with_its_figure_and_not_made_again(
    model: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(quantization, "LEAST_COSINE", 1.1)
    for source in (photos, None):
        caplog.clear()
        encoder = load(model, source, tmp_path)
        assert encoder.manifest.precision == encoder.choice.weights != "int8"
        assert "int8 is not used" in caplog.text
        assert "its cosine to float32 is 0.9" in caplog.text
    [about] = [json.loads(path.read_text()) for path in tmp_path.glob("openvino/*int8*/about.json")]
    assert about["files"] == {}
    assert about["about"]["pictures"] == 24


@pytest.mark.parametrize(
    ("pictures", "collection", "says"),
    [(False, "library", "index --precision int8"), (True, "few", "it takes 40 pictures")],
)
def test_int8_that_cannot_be_made(
    model: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, pictures: bool, collection: str, says: str
) -> None:
    write(tmp_path / "photos" / "one.jpg", photo(40, 40, seed=1))
    encoder = load(model, tmp_path / "photos" if pictures else None, tmp_path / "cache", collection)
    assert encoder.manifest.precision == encoder.choice.weights
    assert says in caplog.text


def test_int8_of_one_collection_is_not_anothers(
    model: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(quantization, "LEAST_COSINE", 0.5)
    monkeypatch.setattr(quantization, "LEAST_OVERLAP", 0.1)
    assert load(model, photos, tmp_path, "mine").manifest.precision == "int8"
    assert load(model, None, tmp_path, "yours").manifest.precision != "int8"
    assert "was not made for this collection" in caplog.text


# What a trial measures


def rows_of(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """A tower of two dimensions: the first two bytes of a picture."""
    return torch.from_numpy(pixels.reshape(len(pixels), -1)[:, :2].astype(np.float32))


def sample(x: int, y: int, *captions: str) -> Sample:
    pixels = np.zeros((1, 1, 3), np.uint8)
    pixels[0, 0, :2] = x, y
    return Sample(pixels, captions)


def exact(samples: Sequence[Sample]) -> NDArray[np.float32]:
    return unit_rows(rows_of, [found.pixels for found in samples])


def no_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError("there are no captions to embed")


def test_a_trial_of_the_same_tower_loses_nothing() -> None:
    samples = [sample(n, 30 - n) for n in range(1, 30)]
    found = trial(exact(samples), rows_of, samples, no_texts)
    assert found.pictures == 29
    assert found.cosine == pytest.approx(1)
    assert found.overlap == 1
    assert found.recall_lost is None
    assert found.accepted


def test_a_trial_of_another_tower_by_hand() -> None:
    """Two pictures at right angles, the second tower turned by 60 degrees: each cosine is a half."""

    def turned(pixels: NDArray[np.uint8]) -> torch.Tensor:
        turn = torch.tensor([[0.5, 3**0.5 / 2], [-(3**0.5) / 2, 0.5]])
        return rows_of(pixels) @ turn

    samples = [sample(1, 0), sample(0, 1)]
    found = trial(exact(samples), turned, samples, no_texts)
    assert (found.cosine, found.worst_cosine) == (pytest.approx(0.5), pytest.approx(0.5))
    assert found.overlap == 1  # of two pictures the other one is always the nearest
    assert not found.accepted


def test_a_trial_counts_the_recall_of_captions() -> None:
    """Twenty pictures on a quarter circle, five captions each at the same place; the other tower mirrors the circle."""
    angles = np.linspace(0.05, 1.5, 20)
    points = [(round(200 * np.cos(a)), round(200 * np.sin(a))) for a in angles]
    samples = [sample(x, y, *(f"{x} {y}" for _ in range(5))) for x, y in points]

    def words(texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.array([[float(word) for word in text.split()] for text in texts], np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def mirrored(pixels: NDArray[np.uint8]) -> torch.Tensor:
        return rows_of(pixels).flip(1)

    assert trial(exact(samples), rows_of, samples, words).recall_lost == 0
    found = trial(exact(samples), mirrored, samples, words)
    assert found.captions == 100
    # By hand: mirrored, picture n lies where picture 19 - n lay, 19 - 2n places away. Its captions find it among the
    # ten nearest if it is at most 5 places away (4 to 6 where the circle ends), which is so for n of 7 to 12: 6 of 20
    # at most, 4 at least.
    assert 100 - 30 <= found.recall_lost <= 100 - 20


GOOD = Trial(pictures=300, cosine=0.9995, worst_cosine=0.99, overlap=0.98)


@pytest.mark.parametrize(
    ("found", "accepted"),
    [
        (GOOD, True),
        (replace(GOOD, cosine=0.9989), False),
        (replace(GOOD, overlap=0.94), False),
        (replace(GOOD, recall_lost=0.2, captions=500, overlap=0.9), True),
        (replace(GOOD, recall_lost=-1.0, captions=500), True),
        (replace(GOOD, recall_lost=0.4, captions=500), False),
    ],
)
def test_the_bounds(found: Trial, accepted: bool) -> None:
    assert found.accepted is accepted
    assert ("Recall@10" in str(found)) == (found.recall_lost is not None)


# The pictures


def test_samples_are_drawn_evenly_with_their_captions_and_the_same_each_time(photos: Path, tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / f"{number:02}.jpg", photo(40, 40, seed=number))
    (tmp_path / "03.txt").write_text("a red dog\nanother line\n")
    (tmp_path / "04.jpg").write_bytes(b"no picture")
    shape = Preprocessing(8, 8, "squash", "bilinear", (0.5,) * 3, (0.5,) * 3)  # type: ignore[arg-type]
    samples = samples_of(FolderSource(tmp_path), Limits())
    everything = samples(shape, 100)
    assert len(everything) == 29
    assert {found.pixels.shape for found in everything} == {(8, 8, 3)}
    assert [found.captions for found in everything if found.captions] == [("a red dog", "another line")]
    assert len(samples(shape, 10)) in (9, 10)
    again = samples(shape, 100)
    assert all((a.pixels == b.pixels).all() for a, b in zip(everything, again, strict=True))


def test_progress_bars_stay_out_of_standard_output(
    model: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="indexer.backends"):
        assert load(model, photos, tmp_path).manifest.dimension == DIMENSION
    assert capsys.readouterr().out == ""
    assert "quantising on 24 pictures" in caplog.text
