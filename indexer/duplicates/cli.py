"""The command `duplicates`: finds and lists them, and remembers what people say of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.config import Settings, load_settings
from indexer.duplicates.kinds import KINDS, Kind
from indexer.errors import InvalidSettings
from indexer.options import Json, Library
from indexer.sources.address import shown

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.duplicates.library import DuplicateGroup
    from indexer.jobs.store import Job

Images = Annotated[list[int], typer.Argument(help="Ids of images, as `--json` shows them.", metavar="ID...")]
Undo = Annotated[bool, typer.Option("--undo", help="Take it back.")]

duplicates_app = typer.Typer(
    help="Find pictures that are there twice, and list them; or, by a command, say what is none and what is kept.",
    no_args_is_help=False,
)


def register(app: typer.Typer) -> None:
    app.add_typer(duplicates_app, name="duplicates")


@duplicates_app.callback(invoke_without_command=True)
def duplicates(
    context: typer.Context,
    library: Library = None,
    level: Annotated[
        str | None,
        typer.Option(
            "--class",
            help="identical, same, crop or burst: groups by links of that class and closer; or look-alike alone.",
            show_default="burst; same with --paths",
        ),
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="List what the last run found, and do not look again.")] = False,
    threads: Annotated[int | None, typer.Option(help="Threads that read files.", show_default=False)] = None,
    as_json: Json = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="Print only the paths that are not to be kept, one a line, to pipe on.")
    ] = False,
    print0: Annotated[bool, typer.Option("--print0", "-0", help="The same, each ended by NUL (xargs -0).")] = False,
) -> None:
    """Find pictures that are there twice, and list them in groups: the one to keep first. No file is ever deleted.

    Interrupt it at any time: the next run goes on. When nothing has changed since, it only lists.
    """
    context.obj = library
    if context.invoked_subcommand is not None:
        return
    chosen = _level(level or ("same" if paths or print0 else "burst"))
    settings = load_settings(library=library, threads=threads)
    with _open(settings) as collection:
        if not last:
            job = _look(collection, settings, quiet=as_json or paths or print0)
            if job is not None and job.state != "done":
                typer.echo(f"{job.state}; `sightline jobs resume {job.id}` goes on", err=True)
                return
        groups = collection.catalog.duplicates.all_groups(chosen)
        if as_json:
            typer.echo(json.dumps([_fields(group) for group in groups], indent=2))
        elif paths or print0:
            _write_paths(groups, b"\0" if print0 else b"\n")
        else:
            _print(groups)


@duplicates_app.command()
def apart(context: typer.Context, images: Images, undo: Undo = False) -> None:
    """Say that images are no duplicates of each other: they are never put into one group again."""
    with _open(load_settings(library=context.obj)) as collection:
        collection.catalog.duplicates.set_apart(images, undo=undo)
    typer.echo(f"{len(images)} images may be duplicates again" if undo else f"{len(images)} images are apart")


@duplicates_app.command()
def keep(context: typer.Context, images: Images, undo: Undo = False) -> None:
    """Say that images are to be kept: `--paths` never names them."""
    with _open(load_settings(library=context.obj)) as collection:
        collection.catalog.duplicates.keep(images, undo=undo)
    typer.echo(f"{len(images)} images are {'not kept by decision any more' if undo else 'kept'}")


def _level(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise InvalidSettings("class", name, f"it is {', '.join(KINDS[:-1])} or {KINDS[-1]}")


def _look(collection: Collection, settings: Settings, *, quiet: bool) -> Job | None:
    """Run the job here; None if there is nothing new to look at."""
    from indexer.duplicates.finding import JOB, is_current
    from indexer.jobs.kinds import run
    from indexer.progress import counting_bar

    if is_current(collection):
        return None
    known = collection.catalog.jobs
    job = known.unfinished(JOB, {}) or known.add(JOB, {})
    with counting_bar("looking for duplicates", enabled=not quiet and sys.stderr.isatty()) as bar:
        try:
            done = run(collection, job, settings, lambda seen: bar(seen.done, seen.total) if bar else None)
        except KeyboardInterrupt:
            typer.echo(f"paused; `sightline jobs resume {job.id}` goes on", err=True)
            raise
    failed = (done.result or {}).get("failed")
    if failed:
        typer.echo(f"{failed:,} files could not be read; `sightline jobs show {job.id}` names them", err=True)
    return done


def _fields(group: DuplicateGroup) -> dict[str, Any]:
    images = [
        {
            "id": member.image.id,
            "path": member.image.path,
            "width": member.image.width,
            "height": member.image.height,
            "size": member.image.size,
            "keep": member.keep,
            "decided": member.decided,
            "content_hash": member.image.content_hash,
        }
        for member in group.members
    ]
    links = [
        {("class" if name == "kind" else name): value for name, value in asdict(link).items()} for link in group.links
    ]
    return {
        "id": group.id,
        "class": group.kind,
        "confidence": round(group.confidence, 4),
        "images": images,
        "links": links,
    }


def _write_paths(groups: Iterator[DuplicateGroup], end: bytes) -> None:
    """As the bytes they are on the disk, so that any name survives the pipe."""
    from indexer.duplicates.library import other_files

    sys.stdout.flush()
    for group in groups:
        sys.stdout.buffer.write(b"".join(path + end for path in other_files(group)))
    sys.stdout.buffer.flush()


def _print(groups: Iterator[DuplicateGroup]) -> None:
    from indexer.terminal import display_path

    number, others = 0, [0]
    for group in groups:
        number += 1
        others += [member.image.size for member in group.members if not member.keep]
        typer.echo(f"group {group.id}: {group.kind}, {group.confidence:.2f}")
        for member in group.members:
            image = member.image
            mark = "keep" if member.keep else ""
            size = f"{image.width} x {image.height}"
            typer.echo(
                f"  {mark:4} {image.id:>8}  {size:>13}  {image.size / 1e6:8.2f} MB  {display_path(shown(image.path))}"
            )
    typer.echo(f"{number:,} groups; beside those to keep {len(others) - 1:,} images, {sum(others) / 1e6:,.1f} MB")


@contextmanager
def _open(settings: Settings) -> Iterator[Collection]:
    from indexer.collection import Collection

    with Collection.open(settings.library) as collection:
        yield collection
