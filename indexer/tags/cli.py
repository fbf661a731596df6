"""The commands `tags`, by lists of labels, and `tag`, by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from indexer.config import Settings, load_settings
from indexer.errors import ImageNotFound, InvalidRequest
from indexer.options import Backend, Device, Json, Library, Precision
from indexer.tags.labels import EVERYDAY, labels_of_file, list_name, shipped_labels, write_labels

if TYPE_CHECKING:
    from indexer.catalog import Catalog
    from indexer.collection import Collection

Images = Annotated[list[str], typer.Argument(metavar="IMAGE", help="Paths or ids.", show_default=False)]

tags_app = typer.Typer(help="Label all images by lists of words, and look at the labels.", no_args_is_help=True)
tag_app = typer.Typer(help="Label images by hand.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(tags_app, name="tags")
    app.add_typer(tag_app, name="tag")


@tags_app.command("set")
def set_list(
    labels: Annotated[
        str, typer.Argument(metavar="LIST", help=f"`{EVERYDAY}`, which ships, or a file: a label a line.")
    ],
    name: Annotated[str | None, typer.Option(help="Of the list.", show_default="the file's")] = None,
    library: Library = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
) -> None:
    """Give a collection a list of labels, in the place of one of that name, and tag its images by it.

    From then on `sightline index` tags what is new. A line is `label: other words, for it | 0.3`, the number a
    threshold of its own.
    """
    from indexer.tags.tagging import add_list

    settings = load_settings(library=library, backend=backend, device=device, precision=precision)
    if labels == EVERYDAY:
        if name not in (None, EVERYDAY):
            raise InvalidRequest(f"the list that ships is called {EVERYDAY!r}; leave --name out")
        called, found = EVERYDAY, shipped_labels()
    else:
        called, found = list_name(name or Path(labels).stem), labels_of_file(Path(labels))
        if called in (EVERYDAY, "concepts"):
            raise InvalidRequest(f"a list of your own cannot be called {called!r}; choose another with --name")
    with _open(settings) as collection:
        add_list(collection.catalog.tags, called, found)
        _run(collection, settings)


@tags_app.command()
def update(
    library: Library = None, backend: Backend = None, device: Device = None, precision: Precision = None
) -> None:
    """Tag all images anew, with labels calibrated anew: after another model was promoted, or whenever you like."""
    settings = load_settings(library=library, backend=backend, device=device, precision=precision)
    with _open(settings) as collection:
        _run(collection, settings)


@tags_app.command()
def labels(
    name: Annotated[str, typer.Argument(metavar="LIST", help="As `sightline tags list` names it.")],
    library: Library = None,
) -> None:
    """Print a list of labels as it is written: for a file that `sightline tags set` takes."""
    with _open(load_settings(library=library)) as collection:
        typer.echo(write_labels(collection.catalog.tags.labels_of(list_name(name))), nl=False)


@tags_app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="LIST", help="As `sightline tags list` names it.")],
    library: Library = None,
) -> None:
    """Forget a list of labels, and the tags that images have of it."""
    with _open(load_settings(library=library)) as collection:
        collection.catalog.tags.remove_list(list_name(name))


@tags_app.command("list")
def list_tags(
    most: Annotated[int, typer.Option("-n", min=1, help="How many tags.")] = 50,
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Show the lists, and the tags with the most images, by hand and from lists."""
    with _open(load_settings(library=library)) as collection:
        tags = collection.catalog.tags
        lists, counts = [found for found in tags.lists() if found.shown], tags.counts(most=most)
    if as_json:
        tagged = [{"tag": name, "images": number} for name, number in counts]
        typer.echo(json.dumps({"lists": [asdict(found) for found in lists], "tags": tagged}, indent=2))
        return
    if not lists:
        typer.echo(f"there are no lists yet; `sightline tags set {EVERYDAY}` takes the one that ships", err=True)
    for found in lists:
        typer.echo(f"list {found.name}: {found.labels:,} labels")
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, number in counts:
        table.add_row(name, f"{number:,}")
    Console().print(table)


@tags_app.command()
def show(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="Its path or id.")],
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Show the tags of an image: those by hand first, then those of lists with their scores."""
    with _open(load_settings(library=library)) as collection:
        [id_] = _ids(collection.catalog, [image])
        found = collection.catalog.tags.of_image(id_)
    if as_json:
        typer.echo(json.dumps([asdict(tag) for tag in found], indent=2))
        return
    for tag in found:
        typer.echo(f"{'  by hand' if tag.score is None else f'{tag.score:9.2f}'}  {tag.name}")


@tag_app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="TAG", help="Any words.")], images: Images, library: Library = None
) -> None:
    """Give images a tag. It stays with the picture wherever its file goes, and with its copies."""
    _by_hand(library, images, add=[name])


@tag_app.command("remove")
def remove_tag(
    name: Annotated[str, typer.Argument(metavar="TAG", help="One they have.")], images: Images, library: Library = None
) -> None:
    """Take a tag from images; no list gives it to them again."""
    _by_hand(library, images, remove=[name])


def _by_hand(library: Path | None, images: list[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
    with _open(load_settings(library=library)) as collection:
        number = collection.catalog.tags.set_own(_ids(collection.catalog, images), add=add, remove=remove)
    typer.echo(f"{number:,} pictures")


def _ids(catalog: Catalog, images: list[str]) -> list[int]:
    """Of paths and ids. Raises ImageNotFound and InvalidRequest."""
    ids = []
    for given in images:
        paths = (str(Path(given).absolute()), given)
        states = catalog.states_of(paths)
        state = next((states[path] for path in paths if path in states), None)
        if state is not None:
            ids.append(state.id)
        elif given.isascii() and given.isdecimal() and len(given) < 19:
            ids.append(catalog.get(int(given)).id)
        elif given.isdecimal():
            raise ImageNotFound(int(given))
        else:
            raise InvalidRequest(f"{given!r} is not in this collection; give an indexed file or an id")
    return ids


def _run(collection: Collection, settings: Settings) -> None:
    from indexer.jobs.kinds import run
    from indexer.progress import progress_bar

    jobs = collection.catalog.jobs
    job = jobs.unfinished("tag", {}) or jobs.add("tag", {})
    with progress_bar(enabled=sys.stderr.isatty()) as progress:
        ended = run(collection, job, settings, progress or (lambda seen: None))
    result = ended.result or {}
    if ended.state != "done":
        typer.echo(f"{ended.state}; `sightline jobs resume {ended.id}` goes on", err=True)
    elif result:
        counts = f"{result['tags']:,} tags of {result['labels']:,} labels for {result['images']:,} images"
        typer.echo(f"{counts} in {result['seconds']:.1f} s")
    else:
        typer.echo(f"there are no lists; `sightline tags set {EVERYDAY}` takes the one that ships")


@contextmanager
def _open(settings: Settings) -> Iterator[Collection]:
    from indexer.collection import Collection

    with Collection.open(settings.library) as collection:
        yield collection
