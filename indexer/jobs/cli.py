"""The commands that change a collection's model, and those that look after its jobs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from indexer.config import Settings, load_settings
from indexer.options import SOME_FAILED, Backend, BatchSize, Device, Json, Library, Precision
from indexer.pace import limited

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.jobs.store import Job

JobNumber = Annotated[int, typer.Argument(help="Its number, as `sightline jobs` shows it.", metavar="JOB")]

_WIDE = 500

jobs_app = typer.Typer(help="List the jobs of a collection; show, pause, resume or cancel one.", no_args_is_help=False)


def register(app: typer.Typer) -> None:
    for command in (reindex, promote, rollback, prune):
        app.command()(command)
    app.add_typer(jobs_app, name="jobs")


def reindex(
    model: Annotated[str, typer.Option("--model", help="The model to fill, named as for `sightline index`.")],
    library: Library = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
    batch_size: BatchSize = None,
    threads: Annotated[int | None, typer.Option(help="Threads that decode.", show_default=False)] = None,
    from_thumbnails: Annotated[
        bool,
        typer.Option(
            "--from-thumbnails",
            help="Decode thumbnails where they are large enough, for speed, and where a file is away.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Embed all images by another model beside the one that serves, and compare the two.

    Searches go on as they are until `sightline promote MODEL`. Interrupt it at any time; the next run goes on where it
    stopped. Exit code 1: some images could not be read.
    """
    settings = load_settings(
        library=library, backend=backend, device=device, precision=precision, batch_size=batch_size, threads=threads
    )
    with _open(settings) as collection:
        arguments = {"model": model} | ({"from_thumbnails": True} if from_thumbnails else {})
        known = collection.catalog.jobs
        job = known.unfinished("reindex", arguments) or known.add("reindex", arguments)
        _report(_run(collection, job, settings, quiet=as_json), collection, as_json)


def promote(
    model: Annotated[str, typer.Argument(help="A model that `sightline reindex` has filled; its name or number.")],
    library: Library = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Take images out that have no embedding of it.")
    ] = False,
) -> None:
    """Have another model answer the searches from now on, for every reader at once; `sightline rollback` goes back."""
    with _open(load_settings(library=library)) as collection:
        stored = collection.catalog.models.find(model)
        if drop_missing:
            removed = collection.drop_missing(stored.id)
            typer.echo(f"{removed:,} images taken out; `sightline index` brings back those that can be read again")
        collection.promote(stored.id)
        typer.echo(f"searches are answered by {stored.manifest.model} from now on")


def rollback(
    library: Library = None, backend: Backend = None, device: Device = None, precision: Precision = None
) -> None:
    """Go back to the model before: what has come since is embedded by it first."""
    settings = load_settings(library=library, backend=backend, device=device, precision=precision)
    with _open(settings) as collection:
        before = collection.catalog.models.previous()
        if before.embeddings < collection.catalog.count():
            job = collection.catalog.jobs.add("reindex", {"model": before.manifest.model})
            _run(collection, job, settings, quiet=False)
        collection.promote(before.id)
        typer.echo(f"searches are answered by {before.manifest.model} again")


def prune(
    model: Annotated[
        str | None,
        typer.Argument(help="The model to forget; its name or number.", show_default="all that do not serve"),
    ] = None,
    library: Library = None,
) -> None:
    """Forget the embeddings of models that do not serve, and free their space."""
    with _open(load_settings(library=library)) as collection:
        shelf = collection.catalog.models
        chosen = [shelf.find(model)] if model else [stored for stored in shelf.all() if not stored.serving]
        for stored in chosen:
            collection.drop(stored.id)
            typer.echo(f"{stored.manifest.model}: {stored.embeddings:,} embeddings forgotten")
        if not chosen:
            typer.echo("nothing to forget: there is no other model")


@jobs_app.callback(invoke_without_command=True)
def jobs(context: typer.Context, library: Library = None, as_json: Json = False) -> None:
    """List the jobs of a collection, the newest first; or, by a command, show, pause, resume or cancel one."""
    context.obj = library
    if context.invoked_subcommand is not None:
        return
    with _open(load_settings(library=library)) as collection:
        found = collection.catalog.jobs.all()
    if as_json:
        typer.echo(json.dumps([_fields(job) for job in found], indent=2))
        return
    if not found:
        typer.echo("no jobs yet")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("job", justify="right")
    table.add_column("kind", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for column in ("done", "a second", "left"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("begun", no_wrap=True)
    table.add_column("of", no_wrap=True)
    for job in found:
        table.add_row(
            str(job.id), job.kind, job.state, _done(job),
            "-" if job.rate is None else f"{job.rate:,.1f}", _left(job), _moment(job.started_at),
            ": ".join(part for part in (_about(job), job.message) if part),
        )  # fmt: skip
    Console(width=_WIDE).print(table)  # a path that is folded into a narrow column cannot be read


@jobs_app.command()
def show(context: typer.Context, number: JobNumber, as_json: Json = False) -> None:
    """One job with its log and its result."""
    with _opened(context) as collection:
        job, log = collection.catalog.jobs.get(number), collection.catalog.jobs.log(number)
    if as_json:
        lines = [{"at": line.at.isoformat(), "text": line.text} for line in log]
        typer.echo(json.dumps({**_fields(job), "log": lines}, indent=2))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in _fields(job).items():
        if value not in (None, "") and name != "result":
            table.add_row(name.replace("_", " "), str(value))
    console = Console(soft_wrap=True)
    console.print(table)
    for line in log:
        console.print(f"{_moment(line.at)}  {line.text}", markup=False)
    _print_result(job, console)


@jobs_app.command()
def pause(context: typer.Context, number: JobNumber) -> None:
    """Stop a job at its next batch; `sightline jobs resume` goes on."""
    with _opened(context) as collection:
        _say(collection.catalog.jobs.pause(number))


@jobs_app.command()
def cancel(context: typer.Context, number: JobNumber) -> None:
    """Stop a job for good. What it has done so far is kept."""
    with _opened(context) as collection:
        _say(collection.catalog.jobs.cancel(number))


@jobs_app.command()
def resume(context: typer.Context, number: JobNumber, as_json: Json = False) -> None:
    """Go on with a job that was paused or interrupted or has failed; it runs here."""
    settings = load_settings(library=context.obj)
    with _open(settings) as collection:
        job = collection.catalog.jobs.resume(number)
        if job.state == "running":
            _say(job)
            return
        _report(_run(collection, job, settings, quiet=as_json), collection, as_json)


def _run(collection: Collection, job: Job, settings: Settings, *, quiet: bool) -> Job:
    from indexer.jobs.kinds import run
    from indexer.progress import progress_bar

    with progress_bar(enabled=not quiet and sys.stderr.isatty()) as progress:
        try:
            return run(collection, job, settings, progress or (lambda progress: None))
        except KeyboardInterrupt:
            typer.echo(f"paused; `sightline jobs resume {job.id}` goes on", err=True)
            raise


def _report(job: Job, collection: Collection, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_fields(job), indent=2))
    else:
        for failure in (job.result or {}).get("failures", ()):
            typer.echo(f"failed: {failure['path']}: {failure['reason']}", err=True)
        _say(job)
        _print_result(job, Console(soft_wrap=True))
    if (job.result or {}).get("failures") or (job.result or {}).get("failed"):
        raise typer.Exit(SOME_FAILED)


_RESULTS = {
    "deduplicate": "{images:,} images compared in {seconds:.1f} s; `sightline duplicates` lists",
    "map": "{shown:,} of {images:,} images on the map in {seconds:.1f} s",
}


def _print_result(job: Job, console: Console) -> None:
    result = job.result or {}
    if job.kind in _RESULTS and result:
        console.print(_RESULTS[job.kind].format(**result), markup=False)
    if job.kind == "index" and result:
        names = ("added", "changed", "moved", "removed", "unchanged", "failed")
        counts = ", ".join(f"{result[name]:,} {name}" for name in names if result[name])
        console.print(f"{counts or 'nothing to do'} in {result['seconds']:.1f} s")
    if job.kind == "reindex" and result:
        console.print(
            f"{result['filled']:,} images embedded by {result['model']} in {result['seconds']:.1f} s, "
            f"{result['missing']:,} missing"
        )
        if result.get("thumbnails"):
            small = result["small_thumbnails"]
            about = f", {small:,} of these small ones: their files cannot be read" if small else ""
            console.print(f"{result['thumbnails']:,} of them from thumbnails{about}")
        if pace := result.get("pace"):
            console.print(limited(pace["images_per_second"], pace["limit"]))
        if result["comparison"]:
            _print_comparison(result["comparison"], console)
        if result["serves"]:
            console.print("it answers the searches already")
        elif not result["missing"]:
            console.print(f"`sightline promote {result['model']}` has it answer the searches", markup=False)

    if job.kind == "train" and result:
        best = result["history"][result["best_epoch"]]["recall"]
        both = (100 * best["text_to_image"][2], 100 * best["image_to_text"][2])
        console.print(
            f"the best epoch is {result['best_epoch']}, R@10 {both[0]:.1f} / {both[1]:.1f} of what was held out"
        )
        console.print(f"the model is in {result['out']}; use it with --model {result['model']}", markup=False)


def _print_comparison(found: dict[str, Any], console: Console) -> None:
    sides = [found["serving"], found["candidate"]]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for side in sides:
        table.add_column(side["model"], justify="right")
    rows: list[tuple[str, list[str]]] = [("dimensions", [str(side["dimension"]) for side in sides])]
    if found["captions"]:
        shown = [" / ".join(f"{value:.1f}" for value in side["recall"].values()) for side in sides]
        rows.append((f"R@1 / 5 / 10 of {found['captions']:,} captions", shown))
    rows += [
        ("a text encoded, ms", [f"{side['query_ms']:.1f}" for side in sides]),
        ("a search, ms", [f"{side['search_ms']:.2f}" for side in sides]),
        ("embeddings, MB", [f"{side['embedding_bytes'] / 1e6:,.1f}" for side in sides]),
    ]
    for name, values in rows:
        table.add_row(name, *values)
    console.print(table)
    console.print(f"of the first ten of {found['texts']} everyday texts, {found['text_overlap']:.0%} are the same")
    if found["picture_overlap"] is not None:
        console.print(
            f"of those of the last {found['pictures']} pictures searched with, {found['picture_overlap']:.0%}"
        )


def _say(job: Job) -> None:
    asked = f", asked to {job.wish}" if job.state == "running" and job.wish != "run" else ""
    typer.echo(f"job {job.id}, {job.kind}: {job.state}{asked}{f': {job.message}' if job.message else ''}")


def _fields(job: Job) -> dict[str, Any]:
    fields = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(job).items()}
    return {**fields, "seconds_left": job.seconds_left}


def _about(job: Job) -> str:
    """The first of its arguments, of several sources the first."""
    first = next(iter(job.arguments.values()), "")
    if not isinstance(first, list):
        return str(first)
    return f"{first[0]} and {len(first) - 1:,} more" if len(first) > 1 else str(first[0])


def _done(job: Job) -> str:
    return f"{job.done:,}" if job.total is None else f"{job.done:,} of {job.total:,}"


def _left(job: Job) -> str:
    return "-" if job.seconds_left is None else str(timedelta(seconds=round(job.seconds_left)))


def _moment(at: datetime | None) -> str:
    return "-" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def _opened(context: typer.Context) -> Iterator[Collection]:
    with _open(load_settings(library=context.obj)) as collection:
        yield collection


@contextmanager
def _open(settings: Settings) -> Iterator[Collection]:
    from indexer.collection import Collection

    with Collection.open(settings.library) as collection:
        yield collection
