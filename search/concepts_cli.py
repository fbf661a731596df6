"""The command `concepts`: what is taught by marked images."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from indexer.config import load_settings
from indexer.options import Backend, Device, Json, Library, Precision
from indexer.tags.labels import tag_name

concepts_app = typer.Typer(help="Teach concepts by images that are right and wrong.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(concepts_app, name="concepts")


@concepts_app.command()
def save(
    name: Annotated[str, typer.Argument(help="Any words; `concept:NAME` finds it in the box, `--tag NAME` here.")],
    query: Annotated[str, typer.Argument(help="What was looked for.", show_default="the marks alone")] = "",
    right: Annotated[list[int] | None, typer.Option("--right", metavar="ID", help="It shows it; repeatable.")] = None,
    wrong: Annotated[list[int] | None, typer.Option("--wrong", metavar="ID", help="It does not; repeatable.")] = None,
    library: Library = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
) -> None:
    """Save a query and its marks as a concept that tags the collection, and what is indexed from now on."""
    from search.cli import open_engine
    from search.query import Feedback

    settings = load_settings(library=library, backend=backend, device=device, precision=precision)
    marks = Feedback(tuple(right or ()), tuple(wrong or ()))
    with open_engine(settings) as engine:
        typer.echo(f"{engine.teach(name, query, marks):,} images have it")


@concepts_app.command("list")
def list_concepts(library: Library = None, as_json: Json = False) -> None:
    """List the concepts, with what they were taught by."""
    from indexer.collection import Collection

    with Collection.open(load_settings(library=library).library) as collection:
        found = collection.catalog.concepts.all()
    rows = [{"name": one.name, "query": one.query, "right": len(one.right), "wrong": len(one.wrong)} for one in found]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['name']}: {row['query'] or 'marks alone'} ({row['right']} right, {row['wrong']} wrong)")


@concepts_app.command()
def rename(
    name: Annotated[str, typer.Argument(help="As it was saved.")],
    other: Annotated[str, typer.Argument(help="What it is called from now on.")],
    library: Library = None,
) -> None:
    """Give a concept another name; images keep what they have of it."""
    from indexer.collection import Collection

    with Collection.open(load_settings(library=library).library) as collection:
        collection.catalog.concepts.rename(tag_name(name), tag_name(other))


@concepts_app.command()
def remove(name: Annotated[str, typer.Argument(help="As it was saved.")], library: Library = None) -> None:
    """Forget a concept, and the tags that images have of it."""
    from indexer.collection import Collection

    with Collection.open(load_settings(library=library).library) as collection:
        collection.catalog.concepts.remove(tag_name(name))
