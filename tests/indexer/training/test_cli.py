"""`sightline train` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.collection import Collection
from indexer.errors import InvalidTraining
from indexer.jobs.running import JobRun
from tests.checkpoints import make_checkpoint
from tests.indexer.samples import MANIFEST
from tests.indexer.training.colours import paint
from web.cli import app


def command(tmp_path: Path, *more: str) -> list[str]:
    model, data = make_checkpoint(tmp_path / "model"), paint(tmp_path / "data", shades=3)
    options = ["--model", str(model), "--out", str(tmp_path / "out"), "--epochs", "1", "--batch-size", "8"]
    return ["train", str(data), *options, "--device", "cpu", *more]


def test_it_reports_each_epoch_and_before_and_after(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, command(tmp_path, "--learning-rate", "0.003"))
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[0].startswith("epoch 0: R@10 ")
    assert result.stderr.splitlines()[1].startswith("epoch 1: loss ")
    assert "before" in result.stdout
    assert f"--model local-dir:{tmp_path / 'out'}" in result.stdout.replace("\n", "")


def test_it_prints_json_for_scripts(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, command(tmp_path, "--json", "--validation", str(tmp_path / "data")))
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert [epoch["epoch"] for epoch in report["history"]] == [0, 1]
    assert report["out"] == str(tmp_path / "out")


def test_an_indexed_collection_can_be_trained_on(tmp_path: Path) -> None:
    folder, library = paint(tmp_path / "data", shades=2), tmp_path / "library"
    model = make_checkpoint(tmp_path / "model")
    indexed = CliRunner().invoke(app, ["index", str(folder), "--library", str(library), "--model", str(model)])
    assert indexed.exit_code == 0, indexed.output
    options = ["--out", str(tmp_path / "out"), "--model", str(model), "--train", "adapter", "--epochs", "1", "--json"]
    result = CliRunner().invoke(app, ["train", str(library), *options, "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert [epoch["epoch"] for epoch in json.loads(result.stdout)["history"]] == [0, 1]
    assert "| from | library |" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    jobs = json.loads(CliRunner().invoke(app, ["jobs", "--library", str(library), "--json"]).stdout)
    assert [(job["kind"], job["state"]) for job in jobs] == [("train", "done"), ("index", "done")]
    shown = CliRunner().invoke(app, ["jobs", "--library", str(library), "show", str(jobs[0]["id"])]).stdout
    assert f"use it with --model local-dir:{tmp_path / 'out'}" in shown
    assert "epoch 1: loss " in shown


def test_a_collection_keeps_account_of_a_training_that_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    with Collection.open_or_create(library, MANIFEST) as collection:
        jobs = collection.catalog.jobs
        arguments = command(tmp_path, "--library", str(library), "--json")
        with monkeypatch.context() as patch:
            patch.setattr(JobRun, "check", interrupt_in_epoch(1))
            assert CliRunner().invoke(app, arguments).exit_code != 0
        assert (jobs.all()[0].state, len(jobs.all())) == ("paused", 1)
        assert CliRunner().invoke(app, [*arguments, "--resume"]).exit_code == 0
        assert (jobs.all()[0].state, len(jobs.all())) == ("done", 1)


def interrupt_in_epoch(epoch: int) -> Callable[..., None]:
    def check(run: JobRun, *, may_pause: bool = True) -> None:
        if run._message.startswith(f"epoch {epoch}"):
            raise KeyboardInterrupt

    return check


@pytest.mark.parametrize(
    "wrong",
    [
        ["--weights", "int8"],
        ["--device", "tpu"],
        ["--batch-size", "1"],
        ["--train", "head"],
        ["--chunk", "8", "--train", "adapter"],
        ["--lora-rank", "8"],
    ],
)
def test_wrong_choices_are_answered_before_anything_is_read(tmp_path: Path, wrong: list[str]) -> None:
    result = CliRunner().invoke(app, ["train", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"), *wrong])
    assert isinstance(result.exception, InvalidTraining)
    assert wrong[0] in str(result.exception)
