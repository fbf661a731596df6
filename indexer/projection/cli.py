"""The command `map`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.config import load_settings
from indexer.options import Backend, Device, Json, Library, Precision

if TYPE_CHECKING:
    from indexer.projection.making import CurrentMap


def register(app: typer.Typer) -> None:
    app.command("map")(picture_map)


def picture_map(
    library: Library = None,
    last: Annotated[bool, typer.Option("--last", help="Tell of the map that was made last, and make none.")] = False,
    threads: Annotated[int | None, typer.Option(help="Threads.", show_default="all processors")] = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
    as_json: Json = False,
) -> None:
    """Lay all pictures out on a map, each beside those that it looks like, to wander about in on the page `/map`.

    It stays as it is, and newer pictures appear on it beside their neighbours, until it is made anew.
    """
    from indexer.collection import Collection
    from indexer.errors import InvalidRequest
    from indexer.jobs.kinds import run
    from indexer.progress import counting_bar
    from indexer.projection.making import JOB, current_map

    settings = load_settings(library=library, threads=threads, backend=backend, device=device, precision=precision)
    with Collection.open(settings.library) as collection:
        if not last:
            known = collection.catalog.jobs
            job = known.unfinished(JOB, {}) or known.add(JOB, {})
            with counting_bar("laying out", enabled=not as_json and sys.stderr.isatty()) as bar:
                done = run(collection, job, settings, lambda seen: bar(seen.done, seen.total) if bar else None)
            if done.state != "done":
                typer.echo(f"{done.state}; `sightline jobs resume {job.id}` begins it anew", err=True)
                return
        found = current_map(collection)
    if found is None:
        raise InvalidRequest("there is no map yet; `sightline map` makes one")
    typer.echo(json.dumps(_fields(found), indent=2) if as_json else _said(found))


def _fields(found: CurrentMap) -> dict[str, Any]:
    return {
        "images": found.images,
        "shown": len(found.ids),
        "newer": found.newer,
        "stale": found.stale,
        "regions": [{"level": region.level, "name": region.name, "images": region.images} for region in found.regions],
    }


def _said(found: CurrentMap) -> str:
    names = ", ".join(region.name for region in found.regions if region.level == 0)
    lines = [f"{len(found.ids):,} of {found.images:,} pictures are on the map; `sightline serve` shows it at /map"]
    if names:
        lines.append(f"regions: {names}")
    if found.newer:
        lines.append(f"{found.newer:,} came later and lie beside their neighbours")
    if found.stale:
        lines.append("a tenth of the collection has changed since it was made: `sightline map` makes it anew")
    return "\n".join(lines)
