"""What each kind of job does, from its arguments: so that any process can run a job that another one wrote down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from indexer.collection import Collection
from indexer.config import Settings
from indexer.duplicates.finding import JOB as DUPLICATES
from indexer.duplicates.finding import find_duplicates
from indexer.encoder import Encoder, load_encoder
from indexer.errors import InvalidRequest
from indexer.jobs.running import JobRun, run_job
from indexer.jobs.store import Job
from indexer.opening import own_encoder
from indexer.pipeline import sync
from indexer.projection.making import JOB as MAP
from indexer.projection.making import make_map
from indexer.reindex import reindex
from indexer.reports import Failure, Progress, SyncReport
from indexer.root_sync import Target, sync_targets, targets_of, total
from indexer.roots import FOLDER
from indexer.scope import EVERYTHING, Scope
from indexer.shadow import compare
from indexer.source_roots import open_known, sync_opened
from indexer.sources import ImageSource
from indexer.sources.naming import NamedSource
from indexer.stored_pictures import Files, ThumbnailsFirst
from indexer.tags.tagging import refresh

_LOGGED = 200
"""Failures written into a job's log; the program prints all of them."""

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


def index(
    collection: Collection,
    encoder: Encoder,
    source: ImageSource,
    settings: Settings,
    run: JobRun,
    show: Show,
    scope: Scope = EVERYTHING,
) -> SyncReport:
    """Bring the collection up to date with the source. Failures are in the job's log."""

    def progress(seen: Progress) -> None:
        show(seen)
        run.progress(seen.done, seen.total)

    report = sync(
        collection,
        encoder,
        source,
        limits=settings.limits,
        batch_size=settings.fixed_batch_size,
        threads=settings.threads,
        progress=progress,
        scope=scope,
    )
    _write_failures(run, report.failures)
    return report


def summary(report: SyncReport) -> dict[str, Any]:
    """What is kept of a report as a job's result: all but the failures, which may be many."""
    return {name: value for name, value in asdict(report).items() if name != "failures"}


def _index(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """Of a folder: its root as it was given, or the part of one that it is. Of another source what is there of it."""
    named, roots = NamedSource.of(run.job.arguments), collection.catalog.roots.all()
    settings = named.tuned(settings)

    def run_sync(what: Target | NamedSource, source: ImageSource, scope: Scope) -> SyncReport:
        return index(collection, own_encoder(collection, settings, source), source, settings, run, show, scope)

    if named.kind != FOLDER:
        reports = list(sync_opened(collection, open_known(named, roots, settings), run_sync))
        return summary(total(reports))
    target = targets_of(roots, named.places[0])[0]
    [done] = sync_targets(collection, [target], settings, run_sync)
    return summary(done.report)


def _write_failures(run: JobRun, failures: Sequence[Failure]) -> None:
    lines = [f"{failure.path}: {failure.reason}" for failure in failures[:_LOGGED]]
    if len(failures) > _LOGGED:
        lines.append(f"and {len(failures) - _LOGGED:,} more")
    run.write_lines(lines)


def _reindex(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """Embeddings by another model, its index, and how the two answer side by side."""
    encoder = _encoder(run.job.arguments["model"], settings)

    def advance(done: int, total: int) -> None:
        show(Progress(done, total))
        run.progress(done, total)

    limits, thumbnails = settings.limits, run.job.arguments.get("from_thumbnails", False)
    report = reindex(
        collection.catalog,
        encoder,
        collection.catalog.shards(run.job.id),
        advance,
        pictures=ThumbnailsFirst(collection.library, limits) if thumbnails else Files(limits),
        batch_size=settings.fixed_batch_size,
        threads=settings.threads,
    )
    _write_failures(run, report.failures)
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
            run.write_lines([f"{collection.manifest.model} itself has changed: there is nothing to compare with"])
    return {**asdict(report), "serves": serves, "comparison": comparison}


def _train(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """Trains a model on captions: the collection's, into its own folder, unless the arguments name others."""
    from indexer.training import job, own_models
    from indexer.training.checkpoint import Checkpoints
    from indexer.training.request import TrainingRequest

    library = collection.library.absolute()
    out = own_models.folder_of(library, run.job.id)
    request = TrainingRequest.of({"data": [str(library)], "out": str(out)} | run.job.arguments)
    if request.out == out:
        own_models.clear_abandoned(library, collection.catalog.jobs)
    resume = Checkpoints.are_in(request.out)
    return job.summary(job.train(run, request, lambda seen: show(Progress(seen.step, seen.steps)), resume=resume))


def _deduplicate(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """What is there twice: fingerprints, links and groups."""

    def advance(done: int, total: int, doing: str) -> None:
        show(Progress(done, total))
        run.progress(done, total, doing)

    report = find_duplicates(collection, advance, limits=settings.limits, threads=settings.threads)
    _write_failures(run, report.failures)
    return {**asdict(report), "failures": [], "failed": len(report.failures)}


def _tag(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """Tags for all images, by the lists of labels that the collection has."""

    def advance(done: int, total: int) -> None:
        show(Progress(done, total))
        run.progress(done, total)

    with collection.writing():
        report = refresh(collection, _encoder(collection.manifest.model, settings), always=True, advance=advance)
    return asdict(report) if report else {}


def _map(collection: Collection, settings: Settings, run: JobRun, show: Show) -> Mapping[str, Any]:
    """Every picture a point of a plane."""

    def advance(done: int, total: int) -> None:
        show(Progress(done, total))
        run.progress(done, total)

    encoder = _encoder(collection.manifest.model, settings)
    return asdict(make_map(collection, encoder, advance, threads=settings.threads))


def _encoder(model: str, settings: Settings) -> Encoder:
    return load_encoder(model, **settings.encoding())


KINDS: dict[str, Kind] = {
    "index": _index,
    "reindex": _reindex,
    "train": _train,
    DUPLICATES: _deduplicate,
    "tag": _tag,
    MAP: _map,
}
"""By the name that a job carries; what it needs to be run, here or elsewhere, is in its arguments."""
