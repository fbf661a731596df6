"""The command that holds two benchmark reports against each other: `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.options import Json

if TYPE_CHECKING:
    from search.benchmark.comparison import RunComparison

_TOP = 12


def register(app: typer.Typer) -> None:
    app.command()(compare)


def compare(
    a: Annotated[Path, typer.Argument(help="A report of `sightline benchmark`, as JSON.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Another, of the same data set.", show_default=False)],
    as_json: Json = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Also write it to this .html, .md or .json file.", show_default=False),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many gains and losses to list.")] = _TOP,
) -> None:
    """Compare two benchmark runs query by query: what B gains and loses against A, and how surely.

    Example: `sightline compare mini.json large.json --report difference.html`.
    """
    from search.benchmark import comparison_report, render
    from search.benchmark.comparison import compare_files

    if report is not None:
        render.check(report)
    found = compare_files(a, b, top=top)
    if report is not None:
        comparison_report.write(found, report)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        _print(found)
        if report is not None:
            typer.echo(f"written to {report}")


def _print(found: RunComparison) -> None:
    from rich.console import Console
    from rich.markup import escape

    from search.benchmark import comparison_report, terminal

    console = Console(highlight=False)
    console.print(escape(comparison_report.lead(found)))
    for line in comparison_report.warnings(found):
        typer.echo(f"warning: {line}", err=True)
    for table in comparison_report.tables_of(found):
        console.print(terminal.rendered(table))
