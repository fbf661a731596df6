"""A named source is brought into a collection: as a job, which can make the source again from what it keeps."""

from __future__ import annotations

from typing import Any

from indexer.collection import Collection
from indexer.config import Settings
from indexer.encoder import Encoder
from indexer.jobs import kinds
from indexer.jobs.running import JobRun, run_job
from indexer.jobs.store import Job
from indexer.reports import SyncReport
from indexer.sources import ImageSource
from indexer.sources.naming import NamedSource


def sync_source(
    named: NamedSource,
    source: ImageSource,
    collection: Collection,
    encoder: Encoder,
    settings: Settings,
    show: kinds.Show,
) -> tuple[Job, SyncReport | None]:
    """`source` is the named one, opened. No report if somebody paused or cancelled the job. Raises as `run_job`."""
    reports: list[SyncReport] = []

    def work(run: JobRun) -> dict[str, Any]:
        reports.append(kinds.index(collection, encoder, source, named.tuned(settings), run, show))
        return kinds.summary(reports[0])

    jobs, arguments = collection.catalog.jobs, named.arguments()
    job = jobs.unfinished("index", arguments) or jobs.add("index", arguments)
    return run_job(jobs, job.id, work), reports[0] if reports else None
