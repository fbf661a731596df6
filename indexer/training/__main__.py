"""`python -m indexer.training --shards DIR --backbone DIR --out DIR` makes `mini` anew."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from indexer.errors import InvalidRequest, SightlineError
from indexer.training.contrastive import TrainingConfig
from indexer.training.mini import make_mini

_DEFAULTS = TrainingConfig()


def main(argv: Sequence[str] | None = None) -> None:
    """`python -m indexer.training --shards DIR --backbone DIR --out DIR` makes `mini` anew."""
    app = typer.Typer(add_completion=False)
    app.command()(_make_mini)
    app(args=None if argv is None else list(argv))


def _make_mini(
    shards: Annotated[Path, typer.Option(help="Folder with flickr8k-train.tar and the label shards.")],
    backbone: Annotated[Path, typer.Option(help="Folder with mobilenet_v2_imagenet.safetensors and its labels.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps image features between runs.")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = _DEFAULTS.epochs,
    seed: Annotated[int, typer.Option()] = _DEFAULTS.seed,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 for torch's choice.", min=0)] = 0,
) -> None:
    """Train the built-in model from its data. It takes mostly the time of computing image features."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if threads:
        torch.set_num_threads(threads)
    try:
        make_mini(shards, backbone, out, TrainingConfig(epochs=epochs, seed=seed), cache)
    except SightlineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, InvalidRequest) else 3) from error


if __name__ == "__main__":
    main()
