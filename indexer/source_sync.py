"""A source is brought into a collection as a job, which can make the source again from what it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from indexer.collection import Collection
from indexer.jobs import kinds
from indexer.jobs.running import JobRun, run_job
from indexer.jobs.store import Job
from indexer.reports import SyncReport


def as_job(
    collection: Collection, arguments: Mapping[str, Any], sync: Callable[[JobRun], SyncReport]
) -> tuple[Job, SyncReport | None]:
    """The job of these arguments that was not finished, or a new one, run.

    No report if somebody paused or cancelled it. Raises as `run_job`.
    """
    reports: list[SyncReport] = []

    def work(run: JobRun) -> dict[str, Any]:
        reports.append(sync(run))
        return kinds.summary(reports[0])

    jobs = collection.catalog.jobs
    job = jobs.unfinished("index", arguments) or jobs.add("index", arguments)
    return run_job(jobs, job.id, work), reports[0] if reports else None
