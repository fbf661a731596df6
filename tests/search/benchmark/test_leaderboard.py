"""The leaderboard: measured once, resumed, honest about what is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import leaderboard
from benchmarks.leaderboard import Set, Weights
from indexer.errors import ModelLoadFailed
from tests.search.benchmark.reports import direction, report, zero_shot
from tests.search.datasets.making import captioned_tar

MODELS = [Weights("small/one", "a" * 64), Weights("large", "b" * 64)]


class Bench:
    """Writes a report for each run and remembers what it was asked for."""

    def __init__(self, *, fails_at: str = "") -> None:
        self.asked: list[str] = []
        self.fails_at = fails_at

    def __call__(self, weights: Weights, data: Set, path: Path) -> None:
        self.asked.append(weights.model)
        if weights.model == self.fails_at:
            raise ModelLoadFailed(weights.model, "no room")
        report(model=replace(report().model, name=weights.model)).write(path)


@pytest.fixture
def sets(tmp_path: Path) -> list[Set]:
    captioned_tar(tmp_path / "data" / "pairs-val.tar", 3)
    found, refused = leaderboard.sets_in([tmp_path / "data"])
    assert refused == []
    return found


def test_what_is_measured_is_not_measured_again(tmp_path: Path, sets: list[Set]) -> None:
    first, again = Bench(), Bench()
    made, _ = leaderboard.measure_all(MODELS, sets, tmp_path / "out", first)
    same, _ = leaderboard.measure_all(MODELS, sets, tmp_path / "out", again)
    assert first.asked == ["small/one", "large"]
    assert again.asked == []
    assert same == made
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_other_weights_and_other_data_are_measured(tmp_path: Path, sets: list[Set]) -> None:
    leaderboard.measure_all(MODELS[:1], sets, tmp_path, Bench())
    bench = Bench()
    leaderboard.measure_all([replace(MODELS[0], sha256="c" * 64)], sets, tmp_path, bench)
    leaderboard.measure_all(MODELS[:1], [replace(sets[0], sha256="d" * 64)], tmp_path, bench)
    assert len(bench.asked) == 2


def test_an_interrupted_run_leaves_nothing_that_passes_for_a_result(tmp_path: Path, sets: list[Set]) -> None:
    def killed(weights: Weights, data: Set, path: Path) -> None:
        path.write_text('{"format": 1, "sight')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leaderboard.measure_all(MODELS[:1], sets, tmp_path, killed)
    bench = Bench()
    reports, _ = leaderboard.measure_all(MODELS[:1], sets, tmp_path, bench)
    assert (len(bench.asked), len(reports)) == (1, 1)


def test_a_damaged_result_is_measured_again(tmp_path: Path, sets: list[Set]) -> None:
    leaderboard.result_path(tmp_path, MODELS[0], sets[0]).write_text("{")
    bench = Bench()
    leaderboard.measure_all(MODELS[:1], sets, tmp_path, bench)
    assert bench.asked == ["small/one"]


def test_one_failure_does_not_stop_the_others(tmp_path: Path, sets: list[Set]) -> None:
    reports, failed = leaderboard.measure_all(MODELS, sets, tmp_path, Bench(fails_at="small/one"))
    assert [one.model.name for one in reports] == ["large"]
    assert failed == [f"small/one on {sets[0].name}: cannot load model 'small/one': no room"]
    assert r"cannot load model 'small/one': no room" in leaderboard.page(reports, failed)


def test_training_splits_and_what_is_no_set_are_named(tmp_path: Path) -> None:
    captioned_tar(tmp_path / "pairs-train.tar", 2)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "README.md").write_text("not a set")
    found, refused = leaderboard.sets_in([tmp_path])
    assert found == []
    assert len(refused) == 2
    assert str(tmp_path) not in " ".join(refused)
    assert "pairs-train.tar is a training split; models may have seen it" in refused


def test_numbered_shards_are_one_set(tmp_path: Path) -> None:
    for number in range(2):
        captioned_tar(tmp_path / "pairs" / f"{number}.tar", 2)
    assert [one.path for one in leaderboard.sets_in([tmp_path])[0]] == [tmp_path / "pairs"]
    assert [one.path for one in leaderboard.sets_in([tmp_path / "pairs"])[0]] == [tmp_path / "pairs"]
    assert "no such file" in leaderboard.sets_in([tmp_path / "nowhere"])[1][0]


def test_the_page_is_ordered_and_says_how_it_was_made() -> None:
    better = report(model=replace(report().model, name="better"), text_to_image=replace(direction(50.0), intervals={}))
    text = leaderboard.page([report(), better], [])
    rows = [line for line in text.splitlines() if line.startswith(("| better", "| mini"))]
    assert rows[0].startswith("| better | 50.0 |")
    assert rows[1].startswith("| mini | 12.5 (10.0 to 15.0) |")
    assert "14.6 (12.0 to 17.0)" in leaderboard.page([zero_shot()], [])
    for words in ("2026-11-21", "a CPU, 2 cores", "numpy 2.4.6", "make leaderboard", "abababababab"):
        assert words in text
