"""The command `failures`: what could not be indexed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from indexer.config import load_settings
from indexer.options import Json, Library

_A_PAGE = 1000


def register(app: typer.Typer) -> None:
    app.command()(failures)


def failures(
    most: Annotated[int, typer.Option("-n", min=1, help="How many of each reason.")] = 20,
    library: Library = None,
    as_json: Json = False,
) -> None:
    """List what could not be indexed, by the reason, until it succeeds or is gone; `sightline index` tries it again.

    With --json all of it.
    """
    from indexer.collection import Collection
    from indexer.terminal import display_path

    with Collection.open(load_settings(library=library).library) as collection:
        known = collection.catalog.failures
        if as_json:
            found, after = [], 0
            while page := known.some(after=after, limit=_A_PAGE):
                found += [asdict(one) | {"since": one.since.isoformat()} for one in page]
                after = page[-1].id
            typer.echo(json.dumps(found, indent=2))
            return
        kinds = known.kinds()
        for kind, number in kinds:
            typer.echo(f"{number:,}: {display_path(kind)}")
            for one in known.some(kind, limit=most):
                typer.echo(f"  {display_path(one.path)}")
            if number > most:
                typer.echo(f"  and {number - most:,} more")
    if not kinds:
        typer.echo("nothing failed")
