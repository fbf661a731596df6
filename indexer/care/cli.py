"""The commands `doctor`, `backup` and `restore`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.config import Settings, load_settings
from indexer.options import Device, Json, Library, Precision
from indexer.terminal import display_path

if TYPE_CHECKING:
    from indexer.care.findings import Finding

BROKEN = 1
"""Exit code of a doctor that leaves something broken."""

_COLOURS = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "broken": typer.colors.RED}


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(backup)
    app.command()(restore)


def doctor(
    library: Library = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is safe to mend; never a picture.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what takes long: vectors, index, model, files.")
    ] = False,
    device: Device = None,
    precision: Precision = None,
    as_json: Json = False,
) -> None:
    """Check the installation, the catalog, its index, its model and its files; say what mends what is wrong.

    Exit code 1: something is broken.
    """
    chosen = load_settings(library=library, device=device, precision=precision)
    show = (lambda finding: None) if as_json else _print_finding
    findings, fixed = _examine(chosen, quick, show), []
    if fix and any(finding.mend for finding in findings):
        from indexer.care.doctor import treat

        for done in treat(findings):
            fixed.append(done)
            typer.echo(f"fixed: {done}", err=as_json)
        findings = _examine(chosen, quick, show)
    broken = any(finding.severity == "broken" for finding in findings)
    if as_json:
        report = {
            "library": str(chosen.library),
            "broken": broken,
            "findings": [finding.to_json() for finding in findings],
            "fixed": fixed,
        }
        typer.echo(json.dumps(report, indent=2))
    if broken:
        raise typer.Exit(BROKEN)


def _examine(settings: Settings, quick: bool, show: Callable[[Finding], None]) -> list[Finding]:
    from indexer.care.doctor import examine
    from indexer.encoder import load_encoder

    load = partial(load_encoder, **settings.encoding())
    findings = []
    for finding in examine(settings.library, load, quick=quick, limits=settings.limits):
        show(finding)
        findings.append(finding)
    return findings


def _print_finding(finding: Finding) -> None:
    state = typer.style(f"{finding.severity:8}", fg=_COLOURS[finding.severity])
    typer.echo(f"{state} {finding.check:12} {display_path(finding.message)}")
    if finding.remedy:
        typer.echo(f"{'':8} {'':12} -> {display_path(finding.remedy)}")


def backup(
    target: Annotated[
        Path, typer.Argument(help="A new file, .tar or .tar.zst (smaller; extra `parquet`), or a new folder.")
    ],
    library: Library = None,
    with_cache: Annotated[
        bool, typer.Option("--with-cache", help="With vector index and thumbnails, which can be made again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy the collection, as of one moment, into one file; others may search and index meanwhile.

    The pictures themselves are not in it.
    """
    from indexer.care.backup import back_up
    from indexer.progress import counting_bar

    chosen = load_settings(library=library)
    with counting_bar("copying", enabled=not as_json and sys.stderr.isatty()) as progress:
        report = back_up(chosen.library, target, with_cache=with_cache, progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, default=str))
    else:
        typer.echo(f"{report.images:,} images, {report.size / 1e6:,.1f} MB -> {report.path}")


def restore(
    source: Annotated[Path, typer.Argument(help="What `sightline backup` has made.", metavar="BACKUP")],
    library: Annotated[Path, typer.Argument(help="A new folder, or an empty one.")],
    as_json: Json = False,
) -> None:
    """Make a collection of a backup again, every byte of it checked, whole or not at all."""
    from indexer.care.restore import restore as restored
    from indexer.progress import counting_bar

    with counting_bar("restoring", enabled=not as_json and sys.stderr.isatty()) as progress:
        report = restored(source, library.expanduser(), progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, default=str))
    else:
        typer.echo(f"{report.images:,} images of model {report.model}, as of {report.made_at} -> {report.library}")
        typer.echo(f"search it with `sightline search TEXT --library {report.library}`")
