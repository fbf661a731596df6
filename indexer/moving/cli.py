"""The commands `export` and `import`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.config import load_settings
from indexer.options import SOME_FAILED, Device, Json, Library, Precision
from indexer.terminal import display_path

if TYPE_CHECKING:
    from indexer.moving.imports import ImportReport


def register(app: typer.Typer) -> None:
    app.command()(export)
    app.command("import")(import_)


def export(
    folder: Annotated[Path, typer.Argument(help="A new folder, or an empty one.")],
    format: Annotated[str, typer.Option("--format", help="npy, parquet (extra `parquet`) or faiss.")] = "npy",
    library: Library = None,
    as_json: Json = False,
) -> None:
    """Write all rows and embeddings into a folder that other programs read, with a README that says what they are."""
    from indexer.collection import Collection
    from indexer.moving.export import FORMATS
    from indexer.moving.export import export as exported
    from indexer.progress import counting_bar

    _check_choice("format", format, FORMATS)
    chosen = load_settings(library=library)
    with (
        Collection.open(chosen.library) as collection,
        counting_bar("exporting", enabled=not as_json and sys.stderr.isatty()) as progress,
    ):
        report = exported(collection, folder, format, progress=progress)  # type: ignore[arg-type]
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, default=str))
    else:
        typer.echo(f"{report.images:,} images, {report.size / 1e6:,.1f} MB -> {report.folder}")


def import_(
    source: Annotated[Path, typer.Argument(help="Folder or file of embeddings made elsewhere.", metavar="PATH")],
    from_: Annotated[str, typer.Option("--from", help="clip-retrieval, rclip, npy or parquet.")],
    model: Annotated[str, typer.Option("--model", help="The model that made them, as for `sightline index`.")],
    library: Library = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, where their paths are relative.", show_default=False)
    ] = None,
    device: Device = None,
    precision: Precision = None,
    threads: Annotated[int | None, typer.Option(help="Threads that read files.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Take over embeddings that another program has made, so that nothing has to be encoded again.

    The pictures must be there. Some of them are encoded again, to see that the model is the one that made the
    embeddings. Interrupt it at any time; the next run goes on. Exit code 1: some pictures could not be taken over.
    """
    from indexer.encoder import load_encoder
    from indexer.moving.imports import FORMATS, import_embeddings, open_embeddings
    from indexer.progress import counting_bar

    _check_choice("from", from_, FORMATS)
    chosen = load_settings(library=library, device=device, precision=precision, threads=threads)
    opened = open_embeddings(source, from_)  # type: ignore[arg-type]  # before a model is loaded
    encoder = load_encoder(model, device=chosen.device, precision=chosen.precision)
    with counting_bar("importing", enabled=not as_json and sys.stderr.isatty()) as progress:
        report = import_embeddings(
            opened,
            encoder,
            chosen.library,
            images=images,
            limits=chosen.limits,
            threads=chosen.threads,
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
    else:
        _print_report(report, chosen.library)
    if report.failed:
        raise typer.Exit(SOME_FAILED)


def _print_report(report: ImportReport, library: Path) -> None:
    for failure in report.failures:
        typer.echo(f"failed: {display_path(failure.path)}: {failure.reason}", err=True)
    checked = report.checked
    typer.echo(f"{checked.number} encoded again: cosine {checked.median:.4f} (median), {checked.lowest:.4f} (lowest)")
    if checked.far:
        typer.echo(f"warning: {checked.far} of these are not embeddings of their pictures", err=True)
    counts = f"{report.added:,} added, {report.changed:,} changed, {report.unchanged:,} unchanged"
    typer.echo(f"{counts}, {report.failed:,} failed in {report.seconds:.1f} s -> {library}")


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    from indexer.errors import InvalidSettings

    if value not in allowed:
        raise InvalidSettings(name, value, f"it is {' or '.join(allowed)}")
