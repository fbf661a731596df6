"""Syncs the folders that are roots of a collection: their patterns, the roots within them, what is away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.config import Settings
from indexer.errors import CollectionNotFound, InvalidRequest, SourceNotFound
from indexer.reports import Failure, SyncReport
from indexer.roots import FOLDER, Root, innermost, within
from indexer.scope import Scope
from indexer.sources import FolderSource, ImageSource, Patterns
from indexer.sources.address import is_remote
from indexer.sources.files import is_filled
from indexer.sweeping import sweep

RunSync = Callable[["Target", ImageSource, Scope], SyncReport]
"""Syncs a source as far as the scope goes, such as `pipeline.sync` with what it needs besides."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be synced."""

    root: Root
    parts: tuple[str, ...] | None = None
    """Files and folders in it; None: all of it."""

    @property
    def path(self) -> str:
        """By which it is named."""
        return self.parts[0] if self.parts else self.root.path


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of a root, or of another source."""

    path: str
    report: SyncReport
    kind: str = FOLDER

    @property
    def state(self) -> str:
        return "offline" if self.report.offline else "online"


def known_roots(library: Path) -> list[Root]:
    """Of the collection there; none if there is no collection. Raises what `Catalog.open` raises."""
    try:
        catalog = Catalog.open(library)
    except CollectionNotFound:
        return []
    with catalog:
        return catalog.roots.all()


def targets_of(
    known: Sequence[Root],
    folder: str | None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
) -> list[Target]:
    """What a person means: all folders that are roots, or that folder and the roots within it.

    A folder in a known root is a part of that, unless it is given patterns (also none): then it is a root of its own.
    Raises InvalidRequest, and SourceNotFound for an empty name.
    """
    patterned = include is not None or exclude is not None
    Patterns(include or (), exclude or ())
    if folder is None:
        if patterned:
            raise InvalidRequest("--include and --exclude are of one folder; name it")
        if not known:
            raise InvalidRequest(
                "nothing has been indexed into this collection yet; name a folder: `sightline index FOLDER`"
            )
        return [Target(root) for root in known if root.kind == FOLDER]
    if not folder:  # abspath would take an unset variable of a script for the current folder
        raise SourceNotFound("", "no folder is named")
    path = os.path.abspath(folder)  # noqa: PTH100 - resolve() would also replace links by their targets
    holder = innermost(known, path)
    if holder is None or (patterned and holder.path != path):
        holder = Root(path)
    if patterned:
        holder = replace(holder, include=_given(include), exclude=_given(exclude))
    main = Target(holder, None if holder.path == path else (path,))
    return [main, *(Target(root) for root in within(known, Root(path)))]


def source_of(root: Root, known: Sequence[Root], settings: Settings, *, accept_removals: bool = False) -> FolderSource:
    """The images of a folder. Raises SourceNotFound."""
    return FolderSource(
        root.path,
        max_bytes=settings.limits.max_bytes,
        patterns=Patterns(root.include, root.exclude),
        others=[other.path for other in within(known, root)],
        mounts=() if accept_removals else root.mounts,
    )


def folders_there(targets: Sequence[Target], settings: Settings) -> FolderSource:
    """The first folder that is there. Raises SourceNotFound for one that is not and was not indexed before."""
    known = {root.path for root in known_roots(settings.library) if root.kind == FOLDER}
    there: list[FolderSource] = []
    for target in targets:
        try:
            there.append(FolderSource(target.path, max_bytes=settings.limits.max_bytes))
        except SourceNotFound:
            if target.path not in known:
                raise
    return there[0] if there else FolderSource(settings.library)  # nothing will be read


def sync_targets(
    collection: Collection,
    targets: Sequence[Target],
    settings: Settings,
    run: RunSync,
    *,
    accept_removals: bool = False,
) -> Iterator[SourceReport]:
    """Sync one after the other. Nothing is removed before all were looked at: what has left one may be in another.

    A root that is known and not there is offline, which is noted and reported and stops nothing. Raises SourceNotFound
    for one that is new, and what `run` raises.
    """
    done: list[tuple[Target, SyncReport, dict[int, str] | None]] = []
    for target in targets:
        gone: dict[int, str] | None = {} if len(targets) > 1 else None
        done.append((target, _sync_target(collection, target, settings, run, accept_removals, gone), gone))
    for target, report, gone in done:
        removed = report.removed if gone is None else sweep(collection, gone)
        yield SourceReport(target.root.path, replace(report, removed=removed))


def _sync_target(
    collection: Collection,
    target: Target,
    settings: Settings,
    run: RunSync,
    accept_removals: bool,
    gone: dict[int, str] | None,
) -> SyncReport:
    roots, root = collection.catalog.roots, target.root
    known = roots.all()
    try:
        source = source_of(root, known, settings, accept_removals=accept_removals)
    except SourceNotFound as error:
        if all(root.key != other.key for other in known):
            raise
        vanished = not os.path.lexists(root.path)
        report = nothing(root, "the folder is not there; its images stay" if vanished else str(error))
    else:
        roots.put(root)
        scope = Scope(
            parts=None if target.parts is None else source.parts(target.parts),
            others=tuple(other.path for other in within(known, root)),
            away=() if accept_removals else tuple(_away(known)),
            excludes=source.excludes,
            accept_removals=accept_removals,
            postponed=gone,
        )
        report = run(target, source, scope)
    if report.offline:
        roots.offline(root, report.offline)
    else:
        roots.online(root, mounts=sorted(source.mounts) if target.parts is None else None)
    return report


def beside_roots(collection: Collection) -> Scope:
    """Of a source that is no folder of pictures: it is there, so what it lists is all that it has."""
    return Scope(away=tuple(_away(collection.catalog.roots.all())), accept_removals=True)


def total(reports: Sequence[SourceReport]) -> SyncReport:
    """All in one; the pace is the only source's that had to encode."""
    whole = [root.report for root in reports]
    paces = [report.pace for report in whole if report.pace]
    counts = ("added", "unchanged", "changed", "moved", "removed", "failed", "excluded")
    return SyncReport(
        **{name: sum(getattr(report, name) for report in whole) for name in counts},
        failures=tuple(failure for report in whole for failure in report.failures),
        seconds=sum(report.seconds for report in whole),
        pace=paces[0] if len(paces) == 1 else None,
        offline="; ".join(f"{root.path}: {root.report.offline}" for root in reports if root.report.offline),
    )


def as_fields(reports: Sequence[SourceReport]) -> dict[str, Any]:
    """For JSON: the total, and each source's own."""
    sources = [{"path": one.path, "kind": one.kind, "state": one.state, **asdict(one.report)} for one in reports]
    for source in sources:
        del source["failures"]  # they are in the total
    return {**asdict(total(reports)), "sources": sources}


def _away(known: Sequence[Root]) -> Iterator[str]:
    """Roots, and places in them where disks were, that are not there now."""
    for root in known:
        if root.kind == FOLDER:
            yield from (folder for folder in (root.path, *root.mounts) if not is_filled(folder))
        elif missing(root):
            yield root.path


def missing(root: Root) -> str:
    """Why a root that is no folder of pictures is not there, as far as it can be told without asking anybody else."""
    if is_remote(root.path) or is_filled(root.path):
        return ""
    if os.path.isdir(root.path):  # noqa: PTH112
        return "the folder is empty; its images stay"
    return "" if os.path.lexists(root.path) else "it is not there; its images stay"


def _given(patterns: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(pattern for pattern in patterns or () if pattern.strip())


def nothing(root: Root, reason: str) -> SyncReport:
    """Of one that is not there."""
    return SyncReport(0, 0, 0, 0, 0, 1, (Failure(root.path, reason),), 0.0, offline=reason)
