"""The `benchmark` command as a person and a script use it, over a real checkpoint of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from indexer.errors import IncompleteDataset, InvalidDataset, InvalidRequest, SightlineError
from search.benchmark.report import BenchmarkReport
from tests.checkpoints import make_checkpoint
from tests.search.benchmark.sets import colour_set
from web.cli import app

COLOURS = ["red", "green", "blue", "cyan"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{make_checkpoint(tmp_path_factory.mktemp('model') / 'model')}"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_set(tmp_path_factory.mktemp("set"), {colour: [colour, f"so {colour}"] for colour in COLOURS})


def _benchmark(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["benchmark", *map(str, arguments)])
    if isinstance(result.exception, SightlineError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_json_on_stdout_has_both_directions_in_percent(dataset: Path, model: str) -> None:
    result = _benchmark("--dataset", dataset, "--model", model, "--json")
    found = json.loads(result.stdout)
    for direction in ("text_to_image", "image_to_text"):
        assert 0 <= found[direction]["R@1"] <= found[direction]["R@5"] <= found[direction]["R@10"] == 100
    assert found["dataset"]["sha256"].keys() == {"set.jsonl"}
    assert found["model"]["name"] == model
    assert found["thumbnails"] == {}
    assert BenchmarkReport.from_dict(found).index is not None


def test_a_person_sees_figures_intervals_and_warnings(dataset: Path, model: str, tmp_path: Path) -> None:
    reports = [tmp_path / name for name in ("r.json", "r.html", "r.md")]
    options = [part for path in reports for part in ("--report", path)]
    result = _benchmark("--dataset", dataset, "--model", model, "--limit", "3", *options)
    assert "PARTIAL" in result.stdout
    assert "R@10" in result.stdout
    assert "95 % interval" in result.stdout
    assert "only 3 of its 4 images" in result.stderr
    assert all(f"written to {path}" in result.stdout for path in reports)
    assert BenchmarkReport.read(reports[0]).thumbnails.keys() == {"red.png", "cyan.png", "blue.png"}
    assert "<html" in reports[1].read_text()


def test_an_index_kind_is_measured(dataset: Path, model: str) -> None:
    found = json.loads(_benchmark("--dataset", dataset, "--model", model, "--index", "faiss:HNSW8", "--json").stdout)
    assert found["index"]["kind"] == "faiss:HNSW8"
    assert len(found["index"]["curve"]) > 1


def test_a_collection_of_ones_own(dataset: Path, model: str, tmp_path: Path) -> None:
    library = tmp_path / "library"
    arguments = ["index", str(dataset.parent), "--library", str(library), "--model", model]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    found = json.loads(_benchmark("--library", library, "--dataset", dataset, "--json").stdout)
    assert found["dataset"]["format"] == "own collection, JSON lines"
    assert found["dataset"]["captions"] == 8
    with pytest.raises(InvalidDataset, match="none of its 4 images has captions"):
        _benchmark("--library", library)


def test_an_incomplete_set_is_refused_unless_allowed(model: str, tmp_path: Path) -> None:
    path = colour_set(tmp_path, {"red": ["red"], "blue": ["blue", "  "], "green": ["green"]})
    (tmp_path / "green.png").unlink()
    with pytest.raises(IncompleteDataset, match=r"1 empty caption .*1 missing image .*--allow-partial") as caught:
        _benchmark("--dataset", path, "--model", model)
    assert "\n" not in str(caught.value)
    result = _benchmark("--dataset", path, "--model", model, "--allow-partial", "--json")
    found = json.loads(result.stdout)["dataset"]
    assert (found["partial"], found["images"], found["captions"]) == (True, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --dataset PATH"),
        (["--dataset", "nowhere"], "no such file"),
        (["--dataset", "{set}", "--index", "magic"], "unknown index kind 'magic'"),
        (["--dataset", "{set}", "--prompt", "a photo"], "has no {c} or {}"),
        (["--dataset", "{set}", "--report", "out.pdf"], "must end in"),
        (["--dataset", "{set}", "--report", "no-folder/out.md"], "no such folder"),
    ],
)
def test_wrong_use_is_one_line(dataset: Path, model: str, arguments: list[str], message: str) -> None:
    given = [argument.replace("{set}", str(dataset)) for argument in arguments]
    with pytest.raises(InvalidRequest, match=message) as caught:
        _benchmark(*given, "--model", model)
    assert "\n" not in str(caught.value)
