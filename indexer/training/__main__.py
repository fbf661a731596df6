"""`python -m indexer.training --shards DIR --backbone DIR --out DIR` makes `mini` anew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from indexer.errors import InvalidRequest, SightlineError
from indexer.training.material import MiniSources
from indexer.training.mini import MiniRecipe, make_mini
from indexer.training.sentences import SentenceEncoder, load_minilm

_DEFAULTS = MiniRecipe()
_FROZEN, _TUNED, _SETTLED = _DEFAULTS.teacher.stages


def main(argv: Sequence[str] | None = None, load_encoder: Callable[[], SentenceEncoder] = load_minilm) -> None:
    """`python -m indexer.training --shards DIR --backbone DIR --out DIR` makes `mini` anew."""
    app = typer.Typer(add_completion=False)
    app.command()(_make_mini)
    app(args=None if argv is None else list(argv), obj=load_encoder)


def _make_mini(
    context: typer.Context,
    shards: Annotated[Path, typer.Option(help="Folder with flickr8k-train.tar and the label shards.")],
    backbone: Annotated[Path, typer.Option(help="Folder with mobilenet_v2_imagenet.safetensors and its labels.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps features and sentence vectors between runs.")
    ] = None,
    rendered: Annotated[Path | None, typer.Option(help="Folder that `python -m data.render` wrote.")] = None,
    wordnet: Annotated[Path | None, typer.Option(help="Folder with WordNet's data.noun and its sisters.")] = None,
    class_sentences: Annotated[
        Path | None,
        typer.Option(help="JSON with sentences about classes.", show_default="that of an installed clip-benchmark"),
    ] = None,
    teacher_epochs: Annotated[int, typer.Option(min=0)] = _FROZEN.epochs,
    tuned_epochs: Annotated[int, typer.Option(min=0)] = _TUNED.epochs,
    settled_epochs: Annotated[int, typer.Option(min=0)] = _SETTLED.epochs,
    student_steps: Annotated[int, typer.Option(min=1)] = _DEFAULTS.student.steps,
    hold_out: Annotated[
        int, typer.Option(help="Captioned pictures that measure recall instead of being trained on.", min=0)
    ] = _DEFAULTS.hold_out,
    seed: Annotated[int, typer.Option(min=0)] = _DEFAULTS.seed,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 for torch's choice.", min=0)] = 0,
) -> None:
    """Train the built-in model from its data: features, a teacher, the backbone's upper part, a text tower."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if threads:
        torch.set_num_threads(threads)
    epochs = (teacher_epochs, tuned_epochs, settled_epochs)
    stages = tuple(replace(stage, epochs=n) for stage, n in zip(_DEFAULTS.teacher.stages, epochs, strict=True))
    recipe = replace(
        _DEFAULTS,
        teacher=replace(_DEFAULTS.teacher, stages=stages),
        student=replace(_DEFAULTS.student, steps=student_steps),
        hold_out=hold_out,
        seed=seed,
    )
    sources = MiniSources(shards, backbone, rendered=rendered, wordnet=wordnet, class_sentences=class_sentences)
    try:
        make_mini(sources, out, recipe, context.obj(), cache)
    except SightlineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, InvalidRequest) else 3) from error


if __name__ == "__main__":
    main()
