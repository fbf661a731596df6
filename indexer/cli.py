"""Commands that fill an index: `index`, `models`, `stats`, `settings`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import indexer.duplicates.cli
import indexer.jobs.cli
import indexer.training.cli
from indexer.config import Settings, config_file, load_settings
from indexer.options import SOME_FAILED, Backend, BatchSize, Device, Json, Library, Model, Precision
from indexer.pace import limited
from indexer.sources.address import shown

if TYPE_CHECKING:
    from indexer.collection import IndexStats
    from indexer.reports import SyncReport
    from indexer.sources.naming import NamedSource


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the program."""
    app.command()(index)
    app.command()(models)
    app.command()(stats)
    app.command()(settings)
    indexer.jobs.cli.register(app)
    indexer.duplicates.cli.register(app)
    indexer.training.cli.register(app)


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Folders of images, tar shards, zips, videos, lists of paths and URLs, s3://BUCKET/PREFIX.",
            show_default=False,
        ),
    ],
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
    as_json: Json = False,
) -> None:
    """Bring the collection up to date with a source: add new images, follow moved ones, drop what is gone.

    Interrupt it at any time; the next run goes on where it stopped. Exit code 1: some files could not be indexed.
    What each kind of source takes is in docs/sources.md.
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
    from indexer.sources.naming import named_sources

    named = named_sources(sources, kind=kind, column=column, private_hosts=private_host or (), every=every)
    try:
        reports = _sync(named, chosen, quiet=as_json)
    except KeyboardInterrupt:
        typer.echo("interrupted; what was indexed is kept: run it again to go on", err=True)
        raise
    if as_json and reports:
        found = [asdict(report) for report in reports]
        typer.echo(json.dumps(found if len(named) > 1 else found[0], indent=2))
    for report in reports if not as_json else ():
        _print_report(report, chosen.library)
    if any(report.failed for report in reports):
        raise typer.Exit(SOME_FAILED)


def _sync(named: list[NamedSource], settings: Settings, *, quiet: bool) -> list[SyncReport]:
    """Compose sources, encoder and collection, and run the pipeline for each as a job with a progress bar on stderr.

    A job that somebody pauses or cancels is the last one, and has no report.
    """
    from indexer.images import DECODE_POLICIES, FAST
    from indexer.opening import collection_and_encoder, say_what_encodes
    from indexer.progress import progress_bar
    from indexer.source_sync import sync_source

    # The sources are looked at first: a typing mistake is answered before a model is loaded.
    sources = [(one, one.open(one.tuned(settings))) for one in named]
    say_what_encodes()
    reports: list[SyncReport] = []
    with (
        collection_and_encoder(settings, sources[0][1]) as (collection, encoder),
        progress_bar(enabled=not quiet and sys.stderr.isatty()) as progress,
    ):
        if settings.fast_decode and DECODE_POLICIES[collection.manifest.decode_policy].jpeg_margin != FAST.jpeg_margin:
            typer.echo("this collection was made without --fast-decode and stays so: it is for new ones", err=True)
        plan = settings.index_plan(collection.plan)
        if plan != collection.plan:
            collection.choose(plan)
        for one, source in sources:
            job, report = sync_source(one, source, collection, encoder, settings, progress or (lambda seen: None))
            if report is None:
                typer.echo(f"{job.state}; what was indexed is kept: `sightline jobs resume {job.id}` goes on", err=True)
                break
            reports.append(report)
    return reports


def _print_report(report: SyncReport, library: Path) -> None:
    for failure in report.failures:
        typer.echo(f"failed: {display_path(shown(failure.path))}: {failure.reason}", err=True)
    counts = ", ".join(
        f"{getattr(report, name):,} {name}"
        for name in ("added", "changed", "moved", "removed", "unchanged", "failed")
        if getattr(report, name) or name in ("added", "failed")
    )
    typer.echo(f"{counts} in {report.seconds:.1f} s -> {library}")
    if report.pace:
        typer.echo(limited(report.pace.images_per_second, report.pace.limit))


def display_path(path: str) -> str:
    """One printable line: control characters and bytes that are not UTF-8 are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in path)


def models(
    as_json: Json = False,
) -> None:
    """List the models we know: dimension, size, licence, published recall, and whether the weights are here.

    Any other open_clip model works too: ARCHITECTURE/TAG, hf-hub:ORG/NAME or local-dir:FOLDER.
    """
    from indexer.models import KNOWN_MODELS, weights_here

    here = {model.name: weights_here(model.name) is not None for model in KNOWN_MODELS}
    if as_json:
        typer.echo(json.dumps([{**asdict(model), "here": here[model.name]} for model in KNOWN_MODELS], indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True)
    table.add_column("here")
    for column in ("dim", "MB"):
        table.add_column(column, justify="right")
    table.add_column("licence", no_wrap=True)
    for column in ("Flickr30k", "COCO"):
        table.add_column(column, justify="right")
    for model in KNOWN_MODELS:
        recall = {published.dataset: f"{published.text_to_image[0]:.1f}" for published in model.published}
        table.add_row(
            model.name,
            "yes" if here[model.name] else "no",
            str(model.dimension),
            f"{model.size_mb:,.0f}",
            model.licence,
            recall.get("Flickr30k", "-"),
            recall.get("COCO", "-"),
        )
    console = Console()
    console.print(table)
    console.print(
        "\nFlickr30k, COCO: published zero-shot text-to-image R@1, percent. here: no download needed.\n"
        "mini is small, for trying out and offline use; it learned from photos that are for research.",
        style="dim",
    )


def stats(library: Library = None, as_json: Json = False) -> None:
    """What the collection holds: images, formats, model; its vector index, and what that was measured to find."""
    from indexer.collection import Collection

    chosen = load_settings(library=library)
    with Collection.open(chosen.library) as collection:
        found = collection.stats()
    fields = asdict(found)
    if as_json:
        typer.echo(json.dumps(fields, indent=2, default=str))
        return
    fields["index"] = _index_in_words(found.index)
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in fields.items():
        shown = ", ".join(f"{k} {v:,}" for k, v in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), f"{shown:,}" if isinstance(shown, int) else str(shown))
    console = Console(soft_wrap=True)
    console.print(table)
    if found.index.calibration:
        _print_calibration(found.index.calibration, console)


def _index_in_words(index: IndexStats) -> str:
    parts = [f"{index.base:,} in the base", f"{index.tail:,} newer", f"{index.dead:,} of the base gone"]
    if index.base:
        parts.append(f"{index.bytes_per_vector:,.0f} bytes a vector")
    return f"{index.kind} ({', '.join(parts)})"


def _print_calibration(calibration: dict[str, Any], console: Console) -> None:
    queries = ", ".join(f"{number:,} {kind}" for kind, number in calibration["queries"].items())
    outcome = "reached" if calibration["reached"] else "not reached: the highest effort is taken"
    console.print(f"\nrecall against exact search, {queries}; target {calibration['target']:g}, {outcome}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("effort", "images @10", "@100", "texts @10", "@100", "ms"):
        table.add_column(column, justify="right")
    for point in calibration["curve"]:
        recalls = (point[f"recall{k}_{what}"] for what in ("images", "texts") for k in (10, 100))
        table.add_row(
            f"{point['effort']:,}",
            *("-" if recall is None else f"{recall:.4f}" for recall in recalls),
            f"{point['ms']:.2f}",
            style="bold" if point["effort"] == calibration["chosen"] else None,
        )
    console.print(table)


def settings() -> None:
    """Every setting: its value now, its environment variable, and what it does.

    The same names work in the TOML file that `sightline settings` names on its last line.
    """
    chosen = load_settings()
    table = Table(box=None, pad_edge=False, header_style="bold")
    # Names and values are there to be copied: whatever the width, they are folded at most and never cut.
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold", max_width=20)
    table.add_column("environment", no_wrap=True)
    table.add_column("what it is")
    for name, field in Settings.model_fields.items():
        value = getattr(chosen, name)
        shown = "-" if value in (None, ()) else str(value)
        table.add_row(name, shown, f"SIGHTLINE_{name.upper()}", field.description)
    console = Console()
    console.print(table)
    console.print(f"\nfile: {config_file()}", style="dim", soft_wrap=True)
