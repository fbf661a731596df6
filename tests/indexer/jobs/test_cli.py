"""From the command line: a model is filled, compared, promoted, rolled back, pruned; jobs are looked after."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from indexer.catalog import Catalog
from indexer.errors import JobEnded, JobNotFound, ModelInUse, ModelNotFound, NoPreviousModel, NotReady, SightlineError
from indexer.jobs.leases import new_owner
from indexer.jobs.running import JobRun, JobStopped
from indexer.thumbnails import Side, ThumbnailFolder
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return make_checkpoint(folder / "first"), make_checkpoint(folder / "second", seed=1)


@pytest.fixture
def library(tmp_path: Path, models: tuple[Path, Path]) -> Path:
    """Of four pictures with captions beside them."""
    for number in range(4):
        write(tmp_path / "photos" / f"{number}.jpg", photo(60, 40, seed=number))
        (tmp_path / "photos" / f"{number}.txt").write_text(f"the red dog number {number}")
    command = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library"), "--model", str(models[0])]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    return tmp_path / "library"


@pytest.fixture
def run(library: Path) -> Run:
    """Runs a command of the collection."""

    def invoke(command: str, *arguments: object, code: int = 0) -> Result:
        options = ["--library", str(library)]
        words = [*command.split(), *map(str, arguments)]
        line = [words[0], *options, *words[1:]] if words[0] == "jobs" else [*words, *options]
        result = CliRunner().invoke(app, line, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return invoke


def fails(run: Run, error: type[SightlineError], command: str, *arguments: object) -> str:
    with pytest.raises(error) as caught:
        run(command, *arguments)
    return str(caught.value)


def serving(library: Path) -> str:
    with Catalog.open(library) as catalog:
        return catalog.manifest.model


def test_a_model_is_filled_compared_promoted_and_rolled_back(
    run: Run, library: Path, models: tuple[Path, Path]
) -> None:
    first, second = models
    job = json.loads(run("reindex --json --model", second).stdout)
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("reindex", "done", 4, 4)
    found = job["result"]["comparison"]
    assert [found[side]["model"] for side in ("serving", "candidate")] == [f"local-dir:{first}", f"local-dir:{second}"]
    assert (found["images"], found["captions"], found["pictures"], found["picture_overlap"]) == (4, 4, 0, None)
    assert found["text_overlap"] == 1.0  # there are but four
    assert found["candidate"]["recall"]["10"] == 100.0
    assert serving(library) == f"local-dir:{first}"
    assert run("promote", second).stdout == f"searches are answered by local-dir:{second} from now on\n"
    assert serving(library) == f"local-dir:{second}"
    assert "0.jpg" in run("search dog").stdout
    assert run("rollback").stdout == f"searches are answered by local-dir:{first} again\n"
    assert serving(library) == f"local-dir:{first}"
    assert run("prune").stdout == f"local-dir:{second}: 4 embeddings forgotten\n"
    assert run("prune").stdout == "nothing to forget: there is no other model\n"
    assert "promoted, or it was pruned" not in fails(run, NoPreviousModel, "rollback")


def test_the_comparison_is_shown_to_people(run: Run, models: tuple[Path, Path]) -> None:
    output = run("reindex --model", models[1]).stdout
    assert "4 images embedded by local-dir:" in output
    assert "R@1 / 5 / 10 of 4 captions" in output
    assert f"`sightline promote local-dir:{models[1]}` has it answer the searches" in output.replace("\n", "")
    shown = run("jobs show 2").stdout
    assert "R@1 / 5 / 10 of 4 captions" in shown


def test_the_model_that_serves_has_nothing_to_be_compared_with(run: Run, models: tuple[Path, Path]) -> None:
    output = run("reindex --model", models[0]).stdout
    assert "0 images embedded" in output
    assert "it answers the searches already" in output


def test_what_came_since_is_embedded_before_going_back(
    run: Run, library: Path, models: tuple[Path, Path], tmp_path: Path
) -> None:
    run("reindex --model", models[1])
    run("promote", models[1])
    write(tmp_path / "photos" / "new.jpg", photo(60, 40, seed=9))
    run("index", tmp_path / "photos")
    run("rollback")
    assert serving(library) == f"local-dir:{models[0]}"
    with Catalog.open(library) as catalog:
        assert catalog.count() == 5


def test_a_picture_whose_file_is_away_is_embedded_from_its_thumbnail(
    run: Run, library: Path, models: tuple[Path, Path], tmp_path: Path
) -> None:
    away = tmp_path / "photos" / "2.jpg"
    data = away.read_bytes()
    thumbnail = ThumbnailFolder(library).path(hashlib.sha256(data).hexdigest(), Side.TILE)
    write(thumbnail, photo(48, 36, seed=2))
    away.unlink()
    assert "1 missing" in run("reindex --model", models[1], code=1).stdout
    output = run("reindex --from-thumbnails --model", models[1]).stdout
    assert "1 images embedded" in output
    assert "1 of them from thumbnails, 1 of these small ones: their files cannot be read" in output
    assert "images/s; " in output
    run("promote", models[1])
    with Catalog.open(library) as catalog:
        assert catalog.manifest.has_thumbnails
        assert catalog.jobs.all()[0].arguments == {"model": str(models[1]), "from_thumbnails": True}


def test_pictures_that_are_gone(run: Run, library: Path, models: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "photos" / "2.jpg").unlink()
    result = run("reindex --model", models[1], code=1)
    assert "failed: " in result.stderr
    assert "3 images embedded" in result.stdout
    assert "1 missing" in result.stdout
    assert "has it answer the searches" not in result.stdout
    assert "2.jpg: " in run("jobs show 2").stdout
    assert "1 images have no embedding" in fails(run, NotReady, "promote", models[1])
    assert serving(library) == f"local-dir:{models[0]}"
    assert "1 images taken out" in run("promote --drop-missing", models[1]).stdout
    assert serving(library) == f"local-dir:{models[1]}"


def test_an_unfinished_job_is_taken_up_again(run: Run, library: Path, models: tuple[Path, Path]) -> None:
    with Catalog.open(library) as catalog:
        job = catalog.jobs.add("reindex", {"model": str(models[1])})
        catalog.jobs.claim(job.id, "elsewhere:1:abc")
        catalog.jobs.end(job.id, "elsewhere:1:abc", "failed", "out of memory")
    run("reindex --model", models[1])
    last, first = json.loads(run("jobs --json").stdout)
    assert (last["id"], last["state"], first["kind"]) == (job.id, "done", "index")
    run("reindex --model", models[1])  # done: another one
    assert len(json.loads(run("jobs --json").stdout)) == 3


def test_jobs_are_listed_paused_resumed_and_cancelled(run: Run, library: Path, models: tuple[Path, Path]) -> None:
    with Catalog.open(library) as catalog:
        first, second = (catalog.jobs.add("reindex", {"model": str(models[1])}).id for _ in range(2))
    assert run(f"jobs pause {first}").stdout == f"job {first}, reindex: paused\n"
    assert run(f"jobs cancel {second}").stdout == f"job {second}, reindex: cancelled\n"
    assert f"job {second} is cancelled" in fails(run, JobEnded, f"jobs resume {second}")
    assert "done" in run(f"jobs resume {first}").stdout
    listed = run("jobs").stdout
    assert all(word in listed for word in ("cancelled", "done", "4 of 4"))
    fails(run, JobNotFound, "jobs show 99")


def test_a_running_job_is_asked(run: Run, library: Path) -> None:
    with Catalog.open(library) as catalog:
        job = catalog.jobs.add("reindex", {"model": "mini"})
        catalog.jobs.claim(job.id, new_owner())
    assert run(f"jobs pause {job.id}").stdout == f"job {job.id}, reindex: running, asked to pause\n"
    assert run(f"jobs resume {job.id}").stdout == f"job {job.id}, reindex: running\n"


def test_a_kind_of_job_that_a_newer_sightline_made(run: Run, library: Path) -> None:
    with Catalog.open(library) as catalog:
        job = catalog.jobs.add("dream", {})
    assert "of kind 'dream', which this Sightline cannot run; upgrade it" in fails(
        run, SightlineError, f"jobs resume {job.id}"
    )


def test_models_that_are_not_there(run: Run, models: tuple[Path, Path]) -> None:
    fails(run, ModelNotFound, "promote", models[1])
    fails(run, ModelNotFound, "prune", "nothing")
    fails(run, ModelInUse, "prune", models[0])
    fails(run, NoPreviousModel, "rollback")


def test_a_model_that_changed_in_its_place_is_filled_anew(
    run: Run, library: Path, tmp_path: Path, models: tuple[Path, Path]
) -> None:
    own = tmp_path / "own"
    shutil.copytree(models[1], own)
    run("reindex --model", own)
    run("promote", own)
    make_checkpoint(own, seed=2)
    job = json.loads(run("reindex --json --model", own).stdout)
    assert (job["result"]["filled"], job["result"]["comparison"]) == (4, None)
    assert "itself has changed: there is nothing to compare with" in run(f"jobs show {job['id']}").stdout
    run("promote", own)
    assert "0.jpg" in run("search dog").stdout


def test_to_index_is_a_job_that_is_resumed(run: Run, library: Path, tmp_path: Path) -> None:
    write(tmp_path / "photos" / "new.jpg", photo(60, 40, seed=9))
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"nothing")
    with Catalog.open(library) as catalog:
        [first] = catalog.jobs.all()
        assert (first.kind, first.state, first.arguments) == ("index", "done", {"folder": str(tmp_path / "photos")})
        assert first.result is not None
        assert (first.result["added"], first.done) == (4, 4)
        job = catalog.jobs.pause(catalog.jobs.add("index", first.arguments).id)
    output = run(f"jobs resume {job.id}", code=1).stdout
    assert f"job {job.id}, index: done" in output
    assert "1 added, 4 unchanged, 1 failed" in output
    assert "broken.jpg: " in run(f"jobs show {job.id}").stdout
    with Catalog.open(library) as catalog:
        assert catalog.count() == 5


def test_an_index_run_that_somebody_cancels_keeps_what_it_has(
    run: Run, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "photos" / "new.jpg", photo(60, 40, seed=9))

    def cancelled(self: JobRun, done: int, total: int | None, message: str = "") -> None:
        raise JobStopped("cancelled")

    monkeypatch.setattr(JobRun, "progress", cancelled)
    result = run("index", tmp_path / "photos")
    assert "cancelled; what was indexed is kept" in result.stderr
    with Catalog.open(library) as catalog:
        assert catalog.jobs.all()[0].state == "cancelled"
