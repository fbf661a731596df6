"""A training as a job: it pauses at its checkpoints, goes on from them, and is cancelled anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.config import Settings
from indexer.jobs import kinds
from indexer.jobs.running import JobRun, JobStopped, run_job
from indexer.jobs.store import Job, JobState
from indexer.training import job as training_job
from indexer.training.checkpoint import Checkpoints
from indexer.training.finetune import TrainingProgress
from indexer.training.recipe import Recipe
from indexer.training.request import TrainingRequest
from tests.checkpoints import make_checkpoint
from tests.indexer.samples import MANIFEST
from tests.indexer.training.colours import paint

EPOCHS = 3


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    collection = Collection.open_or_create(tmp_path / "library", MANIFEST)
    return collection.catalog


@pytest.fixture
def request_(tmp_path: Path) -> TrainingRequest:
    return TrainingRequest(
        out=tmp_path / "out",
        model=f"local-dir:{make_checkpoint(tmp_path / 'model')}",
        data=(paint(tmp_path / "data", shades=3),),
        recipe=Recipe(epochs=EPOCHS, batch_size=9, learning_rate=3e-3, patience=EPOCHS),
        device="cpu",
        threads=1,
    )


def run_until(
    catalog: Catalog, request: TrainingRequest, wish: JobState, when: Callable[[TrainingProgress], bool]
) -> tuple[Job, list[TrainingProgress]]:
    """Somebody wishes it when the training gets there; the job's heartbeat would tell it a moment later."""
    seen: list[TrainingProgress] = []

    def work(run: JobRun) -> dict[str, str]:
        def watch(progress: TrainingProgress) -> None:
            seen.append(progress)
            if when(progress):
                run._stop = JobStopped(wish)

        training_job.train(run, request, watch, resume=False)
        raise AssertionError("nobody stopped it")

    return run_job(catalog.jobs, catalog.jobs.add("train", request.arguments()).id, work), seen


def test_a_pause_waits_for_the_checkpoint_and_the_job_goes_on_from_there(
    catalog: Catalog, request_: TrainingRequest
) -> None:
    job, seen = run_until(catalog, request_, "paused", lambda progress: progress.step == 2)
    assert job.state == "paused"
    steps_an_epoch = seen[0].steps // EPOCHS
    assert steps_an_epoch > 2  # or nothing was waited for
    assert (seen[-1].epoch, seen[-1].step) == (2, steps_an_epoch + 1)
    assert Checkpoints.are_in(request_.out)
    assert job.done == steps_an_epoch + 1

    with Collection.open(catalog.library) as collection:
        done = kinds.run(collection, catalog.jobs.resume(job.id), Settings(), lambda progress: None)
    assert done.state == "done"
    assert done.result is not None
    assert [epoch["epoch"] for epoch in done.result["history"]] == [0, 1, 2, 3]
    assert done.result["model"] == f"local-dir:{request_.out}"
    assert [line.text.partition(":")[0] for line in catalog.jobs.log(job.id)] == [f"epoch {n}" for n in range(4)]
    assert (done.done, done.total) == (seen[0].steps, seen[0].steps)


def test_a_cancel_does_not_wait(catalog: Catalog, request_: TrainingRequest) -> None:
    job, seen = run_until(catalog, request_, "cancelled", lambda progress: progress.step == 1)
    assert (job.state, seen[-1].step) == ("cancelled", 1)
    assert Checkpoints.are_in(request_.out)
