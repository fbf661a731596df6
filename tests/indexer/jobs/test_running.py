from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog import Catalog
from indexer.errors import InvalidQuery, JobBusy
from indexer.jobs.leases import new_owner
from indexer.jobs.running import JobRun, JobStopped, run_job
from indexer.jobs.store import Jobs, JobState

OFTEN = 0.01


@pytest.fixture
def jobs(catalog: Catalog) -> Jobs:
    return catalog.jobs


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def endless(run: JobRun) -> Mapping[str, Any]:
    for done in range(1, 100_000):
        run.progress(done, None)
        time.sleep(0.001)
    raise AssertionError("nobody stopped it")


def test_what_is_done_and_its_result_are_kept(jobs: Jobs) -> None:
    def work(run: JobRun) -> Mapping[str, Any]:
        assert run.job.arguments == {"folder": "/photos"}
        run.write_lines(["begun"])
        for done in range(0, 101, 50):
            run.progress(done, 100, f"at {done}")
        return {"added": 100}

    job = run_job(jobs, jobs.add("index", {"folder": "/photos"}).id, work)
    assert (job.state, job.done, job.total, job.result) == ("done", 100, 100, {"added": 100})
    assert job.rate is not None
    assert job.rate > 0
    assert [line.text for line in jobs.log(job.id)] == ["begun"]


@pytest.mark.parametrize(("call", "state"), [(Jobs.pause, "paused"), (Jobs.cancel, "cancelled")])
def test_it_stops_where_people_want_it_to(jobs: Jobs, call: Callable[[Jobs, int], object], state: str) -> None:
    job = jobs.add("index", {})
    ended: list[str] = []
    thread = threading.Thread(
        target=lambda: ended.append(run_job(jobs, job.id, endless, beat_seconds=OFTEN).state), daemon=True
    )
    thread.start()
    until(lambda: jobs.get(job.id).done > 3)
    call(jobs, job.id)
    thread.join(30)
    assert ended == [state]
    assert jobs.get(job.id).done > 3


@pytest.mark.parametrize(("stop", "done"), [("paused", 5), ("cancelled", 3)])
def test_a_pause_waits_for_a_place_to_go_on_from(jobs: Jobs, stop: JobState, done: int) -> None:
    def work(run: JobRun) -> Mapping[str, Any]:
        run._stop = JobStopped(stop)
        for step in range(3, 100):
            run.progress(step, 100, may_pause=step % 5 == 0)
        raise AssertionError("nobody stopped it")

    job = run_job(jobs, jobs.add("train", {}).id, work)
    assert (job.state, job.done) == (stop, done)


def test_an_error_is_written_down_and_raised(jobs: Jobs) -> None:
    def work(run: JobRun) -> Mapping[str, Any]:
        raise InvalidQuery("it went\nwrong")

    job = jobs.add("index", {})
    with pytest.raises(InvalidQuery):
        run_job(jobs, job.id, work)
    assert (jobs.get(job.id).state, jobs.get(job.id).message) == ("failed", "it went wrong")
    assert run_job(jobs, jobs.resume(job.id).id, lambda run: {}).state == "done"


def test_control_c_pauses(jobs: Jobs) -> None:
    def work(run: JobRun) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    job = jobs.add("index", {})
    with pytest.raises(KeyboardInterrupt):
        run_job(jobs, job.id, work)
    assert jobs.get(job.id).state == "paused"


def test_one_that_another_worker_took_over_ends_without_a_word(jobs: Jobs) -> None:
    import sqlalchemy as sa

    other = new_owner()

    def work(run: JobRun) -> Mapping[str, Any]:
        with jobs._writing() as connection:
            connection.execute(sa.text("UPDATE job SET owner = :owner"), {"owner": other})
        return endless(run)

    job = run_job(jobs, jobs.add("index", {}).id, work, beat_seconds=OFTEN)
    assert job.state == "running"
    with pytest.raises(JobBusy):
        jobs.claim(job.id, new_owner())


def test_a_killed_worker_leaves_an_interrupted_job_that_goes_on(jobs: Jobs, catalog: Catalog) -> None:
    job = jobs.add("index", {})
    script = (
        "import sys, time; from pathlib import Path; from indexer.catalog import Catalog\n"
        "from indexer.jobs.running import run_job\n"
        "def work(run):\n"
        "    while True: run.progress(5, 9); time.sleep(0.01)\n"
        "run_job(Catalog.open(Path(sys.argv[1])).jobs, int(sys.argv[2]), work, beat_seconds=0.01)\n"
    )
    root = Path(__file__).parents[3]
    worker = subprocess.Popen(
        [sys.executable, "-c", script, str(catalog.library), str(job.id)], env={**os.environ, "PYTHONPATH": str(root)}
    )
    try:
        until(lambda: jobs.get(job.id).done == 5)
        with pytest.raises(JobBusy):
            run_job(jobs, job.id, lambda run: {})
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert (jobs.get(job.id).state, jobs.get(job.id).seconds_left) == ("interrupted", None)
    assert run_job(jobs, job.id, lambda run: {"done": run.job.done}).result == {"done": 5}
