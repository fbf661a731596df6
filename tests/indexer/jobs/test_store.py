from __future__ import annotations

from collections.abc import Callable

import pytest

from indexer.catalog import Catalog
from indexer.errors import JobBusy, JobEnded, JobNotFound
from indexer.jobs.leases import new_owner
from indexer.jobs.store import Job, Jobs

GONE = "nowhere:1:abc"  # a lease of an hour ago


@pytest.fixture
def jobs(catalog: Catalog) -> Jobs:
    return catalog.jobs


def fall_silent(jobs: Jobs, id: int) -> None:
    import sqlalchemy as sa

    with jobs._writing() as connection:
        connection.execute(sa.text("UPDATE job SET owner = 'nowhere:1:abc', beat_at = '2020-01-01 00:00:00.000000'"))
    assert jobs.get(id).state == "interrupted"


def test_a_new_job_is_queued(jobs: Jobs) -> None:
    job = jobs.add("index", {"folder": "/photos"})
    assert (job.kind, job.arguments, job.state, job.done, job.total) == (
        "index",
        {"folder": "/photos"},
        "queued",
        0,
        None,
    )
    assert jobs.get(job.id) == job
    assert jobs.all() == [job]


def test_the_newest_is_listed_first(jobs: Jobs) -> None:
    first, second, third = (jobs.add("index", {"n": n}) for n in range(3))
    assert jobs.all() == [third, second, first]
    assert jobs.all(limit=1) == [third]


def test_a_job_that_is_not_there(jobs: Jobs) -> None:
    calls: list[Callable[[int], object]] = [jobs.get, jobs.log, jobs.pause, jobs.cancel, jobs.resume]
    for call in calls:
        with pytest.raises(JobNotFound, match="no job 7 in this collection"):
            call(7)


def test_one_worker_at_a_time(jobs: Jobs) -> None:
    job, owner = jobs.add("index", {}), new_owner()
    assert jobs.claim(job.id, owner).state == "running"
    with pytest.raises(JobBusy, match=f"job {job.id} is running already"):
        jobs.claim(job.id, new_owner())


def test_the_same_work_is_begun_once_and_gone_on_with(jobs: Jobs) -> None:
    first = jobs.begin("index", {"folder": "/a"})
    assert first.state == "queued"
    assert jobs.begin("index", {"folder": "/a"}).id == first.id
    assert jobs.begin("index", {"folder": "/b"}).id != first.id
    owner = new_owner()
    jobs.claim(first.id, owner)
    with pytest.raises(JobBusy, match=f"job {first.id} is running"):
        jobs.begin("index", {"folder": "/b"})
    jobs.begin("reindex", {"model": "mini"})
    fall_silent(jobs, first.id)
    assert jobs.begin("index", {"folder": "/a"}).id == first.id
    jobs.claim(first.id, owner)
    jobs.end(first.id, owner, "done", "")
    assert jobs.begin("index", {"folder": "/a"}).id > first.id


def test_progress_is_written_down(jobs: Jobs) -> None:
    job, owner = jobs.add("index", {}), new_owner()
    jobs.claim(job.id, owner)
    assert jobs.beat(job.id, owner, 30, 120, 4.5, "a folder") == "run"
    seen = jobs.get(job.id)
    assert (seen.done, seen.total, seen.rate, seen.message, seen.seconds_left) == (30, 120, 4.5, "a folder", 20.0)
    ended = jobs.end(job.id, owner, "done", "", {"added": 120})
    assert (ended.state, ended.result, ended.seconds_left) == ("done", {"added": 120}, None)
    assert ended.ended_at is not None


def test_a_dead_workers_job_is_taken_over_and_the_dead_is_told(jobs: Jobs) -> None:
    job = jobs.add("index", {})
    jobs.claim(job.id, new_owner())
    fall_silent(jobs, job.id)
    owner = new_owner()
    assert jobs.claim(job.id, owner).state == "running"
    assert jobs.beat(job.id, GONE, 1, None, None, "") is None
    assert jobs.end(job.id, GONE, "failed", "late").state == "running"
    assert jobs.beat(job.id, owner, 1, None, None, "") == "run"


@pytest.mark.parametrize(
    ("call", "wish", "state"), [(Jobs.pause, "pause", "paused"), (Jobs.cancel, "cancel", "cancelled")]
)
def test_what_people_want_reaches_whoever_runs_it(
    jobs: Jobs, call: Callable[[Jobs, int], Job], wish: str, state: str
) -> None:
    job, owner = jobs.add("index", {}), new_owner()
    jobs.claim(job.id, owner)
    assert call(jobs, job.id).state == "running"
    assert jobs.beat(job.id, owner, 0, None, None, "") == wish
    fall_silent(jobs, job.id)
    assert call(jobs, job.id).state == state  # nobody is there to be told


def test_a_paused_job_is_resumed_and_a_cancelled_one_is_not(jobs: Jobs) -> None:
    job = jobs.add("index", {})
    assert jobs.pause(job.id).state == "paused"
    assert jobs.resume(job.id).state == "queued"
    assert jobs.cancel(job.id).state == "cancelled"
    for call in (jobs.resume, jobs.pause, jobs.cancel):
        with pytest.raises(JobEnded, match=f"job {job.id} is cancelled; start a new one"):
            call(job.id)
    with pytest.raises(JobEnded):
        jobs.claim(job.id, new_owner())


def test_a_pause_is_taken_back_before_it_was_noticed(jobs: Jobs) -> None:
    job, owner = jobs.add("index", {}), new_owner()
    jobs.claim(job.id, owner)
    with pytest.raises(JobBusy):
        jobs.resume(job.id)
    jobs.pause(job.id)
    assert jobs.resume(job.id).state == "running"
    assert jobs.beat(job.id, owner, 0, None, None, "") == "run"


def test_the_log_is_in_order(jobs: Jobs) -> None:
    first, second = jobs.add("index", {}), jobs.add("index", {})
    for text in ("one", "two"):
        jobs.write_lines(first.id, [text])
    jobs.write_lines(second.id, ["other"])
    assert [line.text for line in jobs.log(first.id)] == ["one", "two"]


def test_names_that_are_not_utf8_can_be_written_down(jobs: Jobs) -> None:
    job, owner = jobs.add("index", {"folder": "/photos/\udcff"}), new_owner()
    jobs.claim(job.id, owner)
    jobs.write_lines(job.id, ["/photos/\udcff/a.jpg: damaged"])
    assert jobs.log(job.id)[0].text == r"/photos/\udcff/a.jpg: damaged"
    ended = jobs.end(job.id, owner, "failed", "cannot read \udcff")
    assert (ended.message, ended.arguments) == (r"cannot read \udcff", {"folder": "/photos/\udcff"})
