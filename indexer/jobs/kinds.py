"""What each kind of job does, from its arguments: so that any process can run a job that another one wrote down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from indexer.collection import Collection
from indexer.config import Settings
from indexer.encoder import Encoder, load_encoder
from indexer.errors import InvalidRequest
from indexer.jobs.running import JobRun, run_job
from indexer.jobs.store import Job
from indexer.pipeline import Progress
from indexer.reindex import reindex
from indexer.shadow import compare

Show = Callable[[Progress], None]
"""Told how far a job is, now and then: for a person who looks on."""


class Kind(Protocol):
    def __call__(self, collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
        """Do it, and return its result, to be kept as JSON."""
        ...


def run(collection: Collection, job: Job, settings: Settings, show: Show) -> Job:
    """Run a job of this collection here, now. Raises as `run_job`, and `InvalidRequest` for a kind we do not know."""
    kind = KINDS.get(job.kind)
    if kind is None:
        raise InvalidRequest(f"job {job.id} is of kind {job.kind!r}, which this Sightline cannot run; upgrade it")
    return run_job(collection.catalog.jobs, job.id, lambda run: kind(collection, settings, run, show))


def _reindex(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """Embeddings by another model, its index, and how the two answer side by side."""
    encoder = _encoder(run.job.arguments["model"], settings)

    def advance(done: int, total: int) -> None:
        show(Progress(done, total))
        run.progress(done, total)

    report = reindex(
        collection.catalog,
        encoder,
        collection.catalog.shards(run.job.id),
        advance,
        limits=settings.limits,
        batch_size=settings.fixed_batch_size,
        threads=settings.threads,
    )
    for failure in report.failures:
        run.write_line(f"{failure.path}: {failure.reason}")
    candidate = collection.of_model(report.model_id)
    candidate.choose(collection.plan)
    candidate.fold(encoder)
    comparison = None
    serves = report.model_id == collection.catalog.model_id
    if not report.missing and not serves:
        serving = _encoder(collection.manifest.model, settings)
        if collection.manifest.difference(serving.manifest) is None:
            comparison = asdict(compare((collection, serving), (candidate, encoder)))
        else:
            run.write_line(f"{collection.manifest.model} itself has changed: there is nothing to compare with")
    return {**asdict(report), "serves": serves, "comparison": comparison}


def _encoder(model: str, settings: Settings) -> Encoder:
    return load_encoder(model, **settings.encoding())


KINDS: dict[str, Kind] = {"reindex": _reindex}
