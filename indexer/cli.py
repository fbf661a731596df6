"""Joins the commands of this folder, and holds the small ones: `models`, `stats`, `settings`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

import indexer.duplicates.cli
import indexer.failures_cli
import indexer.index_cli
import indexer.jobs.cli
import indexer.projection.cli
import indexer.roots_cli
import indexer.training.cli
from indexer.config import Settings, config_file, load_settings
from indexer.options import Json, Library
from indexer.terminal import display_path

if TYPE_CHECKING:
    from indexer.collection import IndexStats


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the program."""
    indexer.index_cli.register(app)
    app.command()(models)
    app.command()(stats)
    app.command()(settings)
    indexer.roots_cli.register(app)
    indexer.failures_cli.register(app)
    indexer.jobs.cli.register(app)
    indexer.duplicates.cli.register(app)
    indexer.projection.cli.register(app)
    indexer.training.cli.register(app)


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
    fields["roots"] = len(found.roots)
    fields["index"] = _index_in_words(found.index)
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in fields.items():
        shown = ", ".join(f"{k} {v:,}" for k, v in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), f"{shown:,}" if isinstance(shown, int) else str(shown))
    console = Console(soft_wrap=True)
    console.print(table)
    for root in found.roots:
        if root.state == "offline":
            typer.echo(f"offline: {display_path(root.path)}: {display_path(root.reason)}")
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
