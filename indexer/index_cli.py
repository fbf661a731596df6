"""The command `index`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.config import load_settings
from indexer.options import SOME_FAILED, Backend, BatchSize, Device, Json, Library, Model, Precision
from indexer.pace import limited
from indexer.sources.address import shown
from indexer.terminal import display_path

if TYPE_CHECKING:
    from indexer.reports import SyncReport
    from indexer.root_sync import SourceReport


def register(app: typer.Typer) -> None:
    app.command()(index)


def index(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folders of images, tar shards, zips, videos, lists of paths and URLs, s3://BUCKET/PREFIX.",
            show_default="all that was indexed before",
        ),
    ] = None,
    library: Library = None,
    model: Model = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
    batch_size: BatchSize = None,
    threads: Annotated[int | None, typer.Option(help="Threads that decode.", show_default=False)] = None,
    fast_decode: Annotated[
        bool | None,
        typer.Option(
            "--fast-decode",
            help="A new collection: decode JPEGs no larger than needed, for speed; it stays so.",
            show_default=False,
        ),
    ] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Refuse larger images.", show_default=False)] = None,
    max_file_mb: Annotated[int | None, typer.Option(help="Refuse larger files.", show_default=False)] = None,
    vector_index: Annotated[
        str | None,
        typer.Option(
            help="auto, exact, pq, rabitq, ivf, hnsw or torch; it stays with the collection.", show_default=False
        ),
    ] = None,
    recall: Annotated[
        float | None,
        typer.Option(help="Share of the nearest that an approximate index has to find.", show_default=False),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="folder, tar, list, zip, video or remote; by default its name tells.", show_default=False),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Of a list: the column of paths and URLs.", show_default=False)
    ] = None,
    private_host: Annotated[
        list[str] | None,
        typer.Option(help="Of a list: a host of a private network that URLs may name; repeatable.", show_default=False),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(min=1, help="Of videos: a frame at least every so many seconds.", show_default="10"),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(help="Of folders: only what fits; a pattern as in .gitignore. Repeatable.", show_default=False),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            help='Of folders: take out what fits. Repeatable. Patterns stay with a folder; "" forgets them.',
            show_default=False,
        ),
    ] = None,
    accept_removals: Annotated[
        bool, typer.Option("--accept-removals", help="An empty folder is really empty, not a disk that is away.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the collection up to date with a source: add new images, follow moved ones, drop what is gone.

    Without a source, with all that was indexed before, by the patterns and options of then. What is on a disk that is
    away stays. What each kind of source takes is in docs/sources.md.

    Interrupt it at any time; the next run goes on where it stopped. Exit code 1: some files could not be indexed, or a
    source is offline.
    """
    chosen = load_settings(
        library=library,
        model=model,
        backend=backend,
        device=device,
        precision=precision,
        batch_size=batch_size,
        threads=threads,
        fast_decode=fast_decode,
        max_pixels=max_pixels,
        max_file_mb=max_file_mb,
        vector_index=vector_index,
        index_recall=recall,
    )
    from indexer.indexing import FolderWishes, index_sources
    from indexer.sources.naming import named_sources

    named = named_sources(sources or (), kind=kind, column=column, private_hosts=private_host or (), every=every)
    wishes = FolderWishes(include, exclude, accept_removals)
    try:
        reports = index_sources(named, wishes, chosen, lambda line: typer.echo(line, err=True), quiet=as_json)
    except KeyboardInterrupt:
        typer.echo("interrupted; what was indexed is kept: run it again to go on", err=True)
        raise
    if as_json and reports:
        from indexer.root_sync import as_fields

        typer.echo(json.dumps(as_fields(reports), indent=2))
    elif reports:
        _print_report(reports, chosen.library)
    if any(source.report.failed for source in reports):
        raise typer.Exit(SOME_FAILED)


def _print_report(reports: Sequence[SourceReport], library: Path) -> None:
    from indexer.root_sync import total

    report = total(reports)
    offline = {source.path: source.report.offline for source in reports if source.report.offline}
    for path, reason in offline.items():
        typer.echo(f"offline: {display_path(path)}: {reason}", err=True)
    for failure in report.failures:
        if failure.path not in offline:
            typer.echo(f"failed: {display_path(shown(failure.path))}: {failure.reason}", err=True)
    typer.echo(f"{_in_words(report)} in {report.seconds:.1f} s -> {library}")
    if report.pace:
        typer.echo(limited(report.pace.images_per_second, report.pace.limit))


def _in_words(report: SyncReport) -> str:
    """The counts that are not zero, and two that are always told."""
    names = ("added", "changed", "moved", "removed", "excluded", "unchanged", "failed")
    told = {name: getattr(report, name) for name in names}
    return ", ".join(f"{number:,} {name}" for name, number in told.items() if number or name in ("added", "failed"))
