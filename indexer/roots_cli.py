"""The commands about where images come from: `roots`, `watch`."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from indexer.config import load_settings
from indexer.options import Backend, Device, Json, Library, Model, Precision

if TYPE_CHECKING:
    from indexer.roots import Root

roots_app = typer.Typer(help="List the sources that were indexed; forget one.", no_args_is_help=False)


def register(app: typer.Typer) -> None:
    app.add_typer(roots_app, name="roots")
    app.command()(watch)


@roots_app.callback(invoke_without_command=True)
def roots(context: typer.Context, library: Library = None, as_json: Json = False) -> None:
    """List what was indexed, how, and whether it is there; or, by a command, forget one of these sources."""
    from indexer.collection import Collection
    from indexer.root_images import image_counts
    from indexer.terminal import display_path

    context.obj = library
    if context.invoked_subcommand is not None:
        return
    with Collection.open(load_settings(library=library).library) as collection:
        counts = image_counts(collection)
        found = [(root, counts[root.key]) for root in collection.catalog.roots.all()]
    if as_json:
        typer.echo(json.dumps([{**root_fields(root), "images": images} for root, images in found], indent=2))
    elif not found:
        typer.echo("no sources yet; `sightline index FOLDER` adds one")
    else:
        Console().print(_table(found))
        for root, _ in found:
            if root.reason:
                typer.echo(f"{root.state}: {display_path(root.path)}: {display_path(root.reason)}")


@roots_app.command()
def forget(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="A source, as `sightline roots` lists it.", metavar="SOURCE")],
    kind: Annotated[
        str | None, typer.Option(help="Its kind, where a path was indexed as several.", show_default=False)
    ] = None,
    keep_images: Annotated[bool, typer.Option("--keep-images", help="Keep what was indexed from it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Do not look at a source again, and take its images out of the collection; the files are not touched.

    Images of a folder within another one that was indexed stay: they are the other's from then on.
    """
    from indexer.collection import Collection
    from indexer.root_images import forget, images_of
    from indexer.roots import innermost

    with Collection.open(load_settings(library=context.obj).library) as collection:
        known = collection.catalog.roots
        as_named = any(root.path == path for root in known.all())
        root = known.get(path if as_named else str(Path(path).absolute()), kind)
        heir = innermost([other for other in known.all() if other.path != root.path], root.path, root.kind)
        images = sum(1 for _ in images_of(collection, root))
        taken = heir is None and not keep_images
        if taken and images and not yes:
            question = f"{images:,} images will be taken out of the collection; their files stay. Go on?"
            typer.confirm(question, abort=True, err=True)
        forget(collection, root, images=taken)
    stayed = f"its images belong to {heir.path} now" if heir else f"its {images:,} images stay"
    typer.echo(f"{root.path} is forgotten; {f'{images:,} images taken out' if taken else stayed}")


def watch(
    folders: Annotated[
        list[str] | None,
        typer.Argument(help="Folders to follow.", metavar="FOLDER", show_default="all that was indexed"),
    ] = None,
    library: Library = None,
    model: Model = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
    poll: Annotated[
        bool, typer.Option("--poll", help="Look again and again everywhere, not on network file systems alone.")
    ] = False,
    poll_seconds: Annotated[float, typer.Option(min=0.1, help="How often to look when polling.")] = 30,
    full_scan: Annotated[float, typer.Option(min=0.01, help="Minutes from one look at everything to the next.")] = 60,
    parent: Annotated[int | None, typer.Option(hidden=True, help="End with that process.")] = None,
) -> None:
    """Stay, and keep the collection up to date: what comes, changes, moves or goes is seen within a second or so.

    Archives, lists, videos and object stores, of whose changes nobody tells, are looked at every --full-scan minutes.
    One line on stderr whenever something has happened. Ctrl+C or SIGTERM ends it. Syncs as `sightline index` does: what
    is on a disk that is away stays.
    """
    import signal

    from indexer.opening import collection_and_encoder, say_what_encodes
    from indexer.root_sync import folders_there, known_roots, targets_of
    from indexer.watching.watcher import Pace, Watcher

    settings = load_settings(library=library, model=model, backend=backend, device=device, precision=precision)
    known, stop = known_roots(settings.library), threading.Event()
    named: list[str | None] = [*folders] if folders else [None]
    waits = not known and parent is not None  # a service, for the first root
    targets = [] if waits else [target for folder in named for target in targets_of(known, folder)]
    followed = {target.root.key: target.root for target in targets}
    if not folders:
        followed |= {root.key: root for root in known}
    first = folders_there(targets, settings)
    say_what_encodes()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent, stop), daemon=True).start()
    Watcher(
        settings,
        list(followed.values()),
        lambda: collection_and_encoder(settings, first),
        lambda line: typer.echo(_one_line(line), err=True),
        stop=stop,
        adopt=not folders,
        poll=poll or None,
        pace=Pace(full_scan=60 * full_scan, poll=poll_seconds),
    ).run()


def _end_with(parent: int, stop: threading.Event) -> None:
    """A service that was killed leaves nobody behind who writes to its collection."""
    while os.getppid() == parent and not stop.wait(1):
        pass
    stop.set()


def _one_line(text: str) -> str:
    from indexer.terminal import display_path

    return display_path(text)


def root_fields(root: Root) -> dict[str, Any]:
    """For JSON."""
    times = {name: value.isoformat() if (value := getattr(root, name)) else None for name in ("seen_at", "synced_at")}
    return {**asdict(root), **times}


def _table(found: list[tuple[Root, int]]) -> Table:
    from indexer.terminal import display_path

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("source", overflow="fold")
    table.add_column("kind", no_wrap=True)
    table.add_column("images", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("synced", no_wrap=True)
    table.add_column("patterns, options", overflow="fold")
    for root, images in found:
        synced = root.synced_at.astimezone().strftime("%Y-%m-%d %H:%M") if root.synced_at else "-"
        patterns = [f"+{pattern}" for pattern in root.include] + [f"-{pattern}" for pattern in root.exclude]
        patterns += [f"{name.replace('_', ' ')} {value}" for name, value in root.options.items()]
        table.add_row(display_path(root.path), root.kind, f"{images:,}", root.state, synced, " ".join(patterns))
    return table
