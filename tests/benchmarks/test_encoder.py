"""The encoder's benchmark, on a checkpoint of 130 kB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import encoder as benchmark
from benchmarks.encoder import EAGER, Choices, Photo, Side, gigaflops, measure, speed_lines
from benchmarks.goals import Line
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Line]:
    folder = tmp_path_factory.mktemp("bench")
    photos = []
    for number in range(30):
        path = write(folder / f"{number}.jpg", photo(40, 40, seed=number))
        photos.append(Photo(Path(path).read_bytes(), ("the dog",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "GEMM", 64)
        choices = Choices(batch=4, rounds=2, calibration=10, held_out=20)
        found = measure("mini", str(make_checkpoint(folder / "model")), photos, choices, folder / "cache")
    return {line.name: line for line in found}


def test_every_back_end_has_its_speed_beside_its_accuracy(lines: dict[str, Line]) -> None:
    for side in ("torch float32", "OpenVINO float32", "torch bfloat16", "OpenVINO bfloat16", "OpenVINO int8"):
        assert float(lines[f"mini, {side}: images a second"].value) > 0
        assert float(lines[f"mini, {side}: times {EAGER}"].value) > 0
        about = f"mini, {side}: against float32, 20 pictures:"
        mean, worst = (float(lines[f"{about} cosine, {which}"].value) for which in ("mean", "worst"))
        assert 0.9 < worst <= mean < 1.0001
        assert (mean > 0.999999) == ("float32" in side)
        recall = float(lines[f"mini, {side}: text->image R@10, %, 30 captions"].value)
        assert recall == pytest.approx(100 / 3, abs=0.01)  # one text for all: each picture has its turn in the top ten
    assert lines["mini, OpenVINO int8: accepted"].value in ("yes", "no: bfloat16 is used")


def test_operations_are_counted() -> None:
    import torch

    weights = torch.zeros(12, 5)
    encode = lambda pixels: torch.from_numpy(pixels).float().flatten(1) @ weights  # noqa: E731
    assert gigaflops(encode, np.zeros((3, 2, 2, 3), np.uint8)) == pytest.approx(2 * 12 * 5 / 1e9)


def test_speeds_are_ratios_of_neighbours() -> None:
    found = {EAGER: Side(len, [2.0, 8.0, 4.0]), "torch bfloat16": Side(len, [1.0, 2.0, 1.0])}
    lines = {line.name: line.value for line in speed_lines("other", found, 8, 0.5, {"float32": 4.0, "bfloat16": 8.0})}
    about = f"other, torch bfloat16: times {EAGER}"
    assert lines[about] == 4.0
    assert (lines[f"{about}, slowest round"], lines[f"{about}, fastest round"]) == (2.0, 4.0)
    assert lines["other, torch bfloat16: images a second"] == 8.0
    assert lines["other, torch bfloat16: share of the gemm's GFLOP/s"] == 0.5
