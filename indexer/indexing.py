"""One run of `sightline index`: sources of any kind brought into a collection, each as a job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.collection import Collection
from indexer.config import Settings
from indexer.encoder import Encoder
from indexer.errors import InvalidRequest
from indexer.images import DECODE_POLICIES, FAST
from indexer.jobs import kinds
from indexer.opening import collection_and_encoder, say_what_encodes
from indexer.progress import progress_bar
from indexer.reports import SyncReport
from indexer.root_sync import SourceReport, Target, folders_there, known_roots, sync_targets, targets_of
from indexer.roots import FOLDER, Root
from indexer.scope import Scope
from indexer.source_roots import as_remembered, open_known, sources_of, sync_opened
from indexer.source_sync import as_job
from indexer.sources import ImageSource

if TYPE_CHECKING:
    from indexer.jobs.store import Job
    from indexer.sources.naming import NamedSource

Say = Callable[[str], None]
"""Gets a line for people."""


@dataclass(frozen=True, slots=True)
class FolderWishes:
    """What can be wished of folders alone; see `targets_of` and `Scope`."""

    include: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    accept_removals: bool = False

    def check(self, others: Sequence[NamedSource]) -> None:
        """Raises InvalidRequest if there is any of another kind that it would be asked of."""
        given = {"include": self.include, "exclude": self.exclude, "accept-removals": self.accept_removals or None}
        for option, value in given.items():
            if others and value is not None:
                raise InvalidRequest(f"--{option} is for folders, and {others[0].places[0]!r} is a {others[0].kind}")


class _JobStopped(Exception):
    """Somebody paused or cancelled it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(job.state)


def index_sources(
    named: Sequence[NamedSource], wishes: FolderWishes, settings: Settings, say: Say, *, quiet: bool
) -> list[SourceReport]:
    """Folders first, so that what has moved between them is followed; without any source all that is known.

    A job that somebody pauses or cancels is the last one, and has no report. With a progress bar on stderr unless
    `quiet`. Raises InvalidRequest, SourceNotFound, and what syncing raises.
    """
    others = [one for one in named if one.kind != FOLDER]
    wishes.check(others)
    known = known_roots(settings.library)
    # What was named is looked at first: a typing mistake is answered before a model is loaded.
    targets = [] if named and len(others) == len(named) else _targets(named, known, wishes)
    again = [one for other in others for one in as_remembered(other, known)] if named else sources_of(known)
    opened = [open_known(one, known, settings) for one in again]
    sources = [one.source for one in opened if one.source is not None]
    first = sources[0] if sources and not targets else folders_there(targets, settings)
    say_what_encodes()
    reports: list[SourceReport] = []
    with (
        _ready(settings, first, say) as (collection, encoder),
        progress_bar(enabled=not quiet and sys.stderr.isatty()) as progress,
    ):
        show = progress or (lambda seen: None)

        def run_folder(target: Target, source: ImageSource, scope: Scope) -> SyncReport:
            work = lambda run: kinds.index(collection, encoder, source, settings, run, show, scope)  # noqa: E731
            return _finished(as_job(collection, {"folder": target.path}, work))

        def run_other(named: NamedSource, source: ImageSource, scope: Scope) -> SyncReport:
            tuned = named.tuned(settings)
            work = lambda run: kinds.index(collection, encoder, source, tuned, run, show, scope)  # noqa: E731
            return _finished(as_job(collection, named.arguments(), work))

        try:
            reports += sync_targets(collection, targets, settings, run_folder, accept_removals=wishes.accept_removals)
            for one in opened:
                reports += sync_opened(collection, one, run_other)
        except _JobStopped as stopped:
            number = stopped.job.id
            say(f"{stopped}; what was indexed is kept: `sightline jobs resume {number}` goes on")
    return reports


def _targets(named: Sequence[NamedSource], known: Sequence[Root], wishes: FolderWishes) -> list[Target]:
    """Each once."""
    folders: list[str | None] = [one.places[0] for one in named if one.kind == FOLDER]
    folders = folders or [None]
    found = [target for folder in folders for target in targets_of(known, folder, wishes.include, wishes.exclude)]
    return list({(target.root.path, target.parts): target for target in found}.values())


def _finished(outcome: tuple[Job, SyncReport | None]) -> SyncReport:
    """Raises _JobStopped."""
    job, report = outcome
    if report is None:
        raise _JobStopped(job)
    return report


@contextmanager
def _ready(settings: Settings, source: ImageSource, say: Say) -> Iterator[tuple[Collection, Encoder]]:
    """The collection with the plan of its index, and its encoder."""
    with collection_and_encoder(settings, source) as (collection, encoder):
        if settings.fast_decode and DECODE_POLICIES[collection.manifest.decode_policy].jpeg_margin != FAST.jpeg_margin:
            say("this collection was made without --fast-decode and stays so: it is for new ones")
        plan = settings.index_plan(collection.plan)
        if plan != collection.plan:
            collection.choose(plan)
        yield collection, encoder
