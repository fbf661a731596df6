"""Archives, lists, videos and object stores as roots: remembered as they were named, synced again if they are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from indexer.collection import Collection
from indexer.config import Settings
from indexer.errors import BrokenInstallation, InvalidRequest, SourceNotFound
from indexer.reports import SyncReport
from indexer.root_sync import SourceReport, beside_roots, missing, nothing
from indexer.roots import FOLDER, Root
from indexer.scope import Scope
from indexer.sources import ImageSource
from indexer.sources.naming import KINDS, TOGETHER, NamedSource, SourceKind

RunSource = Callable[[NamedSource, ImageSource, Scope], SyncReport]
"""Syncs a source as far as the scope goes, such as `pipeline.sync` with what it needs besides."""


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """What is there of a source, and what is not."""

    named: NamedSource
    """Only its places that are there."""
    source: ImageSource | None
    """None: nothing is there."""
    away: tuple[tuple[Root, str], ...] = field(default=())
    """With the reason."""


def roots_of(named: NamedSource) -> list[Root]:
    """One a place: each can be away, or be forgotten, by itself."""
    return [Root(place, named.kind, dict(named.options)) for place in named.places]


def sources_of(roots: Sequence[Root]) -> list[NamedSource]:
    """All but the folders of pictures, as they would be named together. Raises InvalidRequest for unknown kinds."""
    together: dict[tuple[str, str, str], list[Root]] = {}
    for root in roots:
        if root.kind == FOLDER:
            continue
        if root.kind not in KINDS:
            raise InvalidRequest(
                f"root {root.path!r} is of kind {root.kind!r}, which this Sightline cannot read: upgrade"
            )
        alone = "" if root.kind in TOGETHER else root.path
        together.setdefault((root.kind, json.dumps(root.options, sort_keys=True), alone), []).append(root)
    return [
        NamedSource(cast(SourceKind, group[0].kind), tuple(root.path for root in group), group[0].options)
        for group in together.values()
    ]


def as_remembered(named: NamedSource, known: Sequence[Root]) -> list[NamedSource]:
    """With the options that its places were named with before, unless it is given others now."""
    if named.options:
        return [named]
    before = {root.key: root for root in known}
    return sources_of([before.get(root.key, root) for root in roots_of(named)])


def open_known(named: NamedSource, known: Sequence[Root], settings: Settings) -> OpenedSource:
    """What was indexed before and is not there is away. Raises SourceNotFound and BrokenInstallation for the others."""
    before = {root.key: root.options for root in known}
    places = [(root, missing(root) if root.key in before else "") for root in roots_of(named)]
    away = tuple((root, reason) for root, reason in places if reason)
    there = replace(named, places=tuple(root.path for root, reason in places if not reason))
    if not there.places:
        return OpenedSource(there, None, away)
    try:
        return OpenedSource(there, there.open(there.tuned(settings)), away)
    except (SourceNotFound, BrokenInstallation) as error:
        if any(before.get(root.key) != root.options for root in roots_of(there)):
            raise
        closed = tuple((root, str(error)) for root in roots_of(there))
        return OpenedSource(replace(there, places=()), None, away + closed)


def sync_opened(collection: Collection, opened: OpenedSource, run: RunSource) -> Iterator[SourceReport]:
    """Sync what is there, and remember it. Raises what `run` raises."""
    roots, named = collection.catalog.roots, opened.named
    for root, reason in opened.away:
        roots.offline(root, reason)
        yield SourceReport(root.path, nothing(root, reason), root.kind)
    if opened.source is None:
        return
    there = roots_of(named)
    roots.put(*there)
    report = run(named, opened.source, beside_roots(collection))
    path = named.places[0] if len(named.places) == 1 else opened.source.root
    if report.offline and named.kind == "remote":  # it does not answer any more
        roots.offline(there[0], report.offline)
    else:  # what cannot be read of a file that is there is a failure like others
        report = replace(report, offline="")
        roots.online(*there, mounts=())
    yield SourceReport(path, report, named.kind)
