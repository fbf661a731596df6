"""The command that says why a picture matched: `explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli import display_path
from indexer.config import Settings, load_settings
from indexer.errors import InvalidExport, InvalidQuery
from indexer.options import Backend, Device, Json, Library, Model, Precision
from search.cli import open_engine, read_picture
from search.query import Query

if TYPE_CHECKING:
    from search.heat_map import HeatMap

LARGEST = 1280
"""Pixels of the longer side of what is written."""


def register(app: typer.Typer) -> None:
    """Add this file's command to the program."""
    app.command()(explain)


def explain(
    picture: Annotated[
        Path | None, typer.Argument(metavar="[IMAGE]", help="The picture to explain.", show_default=False)
    ] = None,
    image_id: Annotated[int | None, typer.Option("--id", help="Or an indexed one, by its id.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="What was searched for, in words.")] = None,
    image: Annotated[Path | None, typer.Option("--image", help="The picture that was searched with.")] = None,
    like: Annotated[int | None, typer.Option("--like", help="Id of the indexed picture that was searched by.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="PNG to write: the picture under its map.")
    ] = None,
    map_only: Annotated[
        bool, typer.Option("--map-only", help="Write the map alone, transparent, to be laid over the picture.")
    ] = False,
    occlusion: Annotated[
        bool, typer.Option("--occlusion", help="Cover parts of the picture instead of asking the model's own grid.")
    ] = False,
    as_json: Json = False,
    library: Library = None,
    model: Model = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
) -> None:
    """Show where in a picture a query is: why the picture matched.

    Examples: `sightline explain dog.jpg --text "a dog" --output map.png`,
    `sightline explain --id 17 --image chair.jpg -o map.png`.
    """
    if (picture is None) == (image_id is None):
        raise InvalidQuery("name one picture to explain: its path, or its id with --id")
    chosen = load_settings(library=library, model=model, backend=backend, device=device, precision=precision)
    query = Query.of(text=text, image=read_picture(image, chosen.limits) if image else None, image_id=like)
    data = _indexed(image_id, chosen) if picture is None else read_picture(picture, chosen.limits)
    with open_engine(chosen) as engine:
        heat_map = engine.heat_maps.of(data, engine.embed(query), "occlusion" if occlusion else None)
    if output is not None:
        _write(output, data, heat_map, map_only, chosen)
    _say(heat_map, output, as_json)


def _indexed(image_id: int | None, settings: Settings) -> bytes:
    from indexer.collection import Collection
    from indexer.originals import Originals

    assert image_id is not None
    with Collection.open(settings.library) as collection:
        return Originals(settings.limits).read(collection.catalog.get(image_id).path)


def _write(output: Path, data: bytes, heat_map: HeatMap, map_only: bool, settings: Settings) -> None:
    from indexer.images import thumbnail
    from search.heat_picture import blended, overlay

    picture = thumbnail(data, LARGEST, settings.limits)
    drawn = overlay(heat_map, picture.size) if map_only else blended(heat_map, picture)
    try:
        drawn.save(output, "PNG")
    except OSError as error:
        raise InvalidExport(display_path(str(output)), error.strerror or str(error)) from error


def _say(heat_map: HeatMap, output: Path | None, as_json: bool) -> None:
    from search.heat_picture import peak

    x, y = peak(heat_map)
    if as_json:
        found = {
            "method": heat_map.method,
            "contrast": round(heat_map.contrast, 3),
            "flat": heat_map.flat,
            "peak": [round(x, 3), round(y, 3)],
        }
        typer.echo(json.dumps(found, indent=2))
    elif heat_map.flat:
        typer.echo(f"no part stands out more than for any words (contrast {heat_map.contrast:.1f}, {heat_map.method})")
    else:
        typer.echo(
            f"most of it is {x:.0%} from the left and {y:.0%} from the top "
            f"(contrast {heat_map.contrast:.1f}, {heat_map.method})"
        )
    if output is not None and not as_json:
        typer.echo(f"written to {display_path(str(output))}")
