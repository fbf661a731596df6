"""The command `train`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.training.recipe import Recipe

if TYPE_CHECKING:
    from indexer.training.finetune import TrainingProgress, TrainingReport
    from indexer.training.heldout import HeldOutRecall

_R = Recipe()


def register(app: typer.Typer) -> None:
    app.command()(train)


def train(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Captioned pictures: shards (.tar), a CSV or JSON-lines table, a folder of either, or a collection."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the model into; a new one.")],
    model: Annotated[str, typer.Option(help="What to begin with, as for `sightline index`.")] = "mini",
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures that tables name.", show_default="beside the table")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="Captioned pictures to measure recall with, instead of --held-out.")
    ] = None,
    held_out: Annotated[float, typer.Option(help="Share held out to measure, 1,000 at most.")] = _R.held_out,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out captions whose picture is not there.")
    ] = False,
    loss: Annotated[str, typer.Option(help="softmax (CLIP) or sigmoid (SigLIP).")] = _R.loss,
    moving: Annotated[
        str,
        typer.Option(
            "--train",
            help="What moves: all; text, that tower alone (LiT); adapter, a linear map on top of both towers; lora, "
            "low-rank updates of their layers.",
        ),
    ] = _R.train,
    lora_rank: Annotated[
        int | None, typer.Option(help="Of the updates of --train lora.", show_default="16")
    ] = _R.lora_rank,
    lora_alpha: Annotated[
        float | None, typer.Option(help="They count by this over the rank.", show_default="twice the rank")
    ] = _R.lora_alpha,
    train_batch_norm: Annotated[
        bool, typer.Option("--train-batch-norm", help="Let the statistics of batch norms follow the batches.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="Times every picture is shown, at most.")] = _R.epochs,
    patience: Annotated[int, typer.Option(help="Epochs without better recall before it stops.")] = _R.patience,
    batch_size: Annotated[int, typer.Option(help="Pairs told apart at once.")] = _R.batch_size,
    chunk: Annotated[
        int | None,
        typer.Option(help="Pairs in memory at once, with the gradient of all.", show_default="the whole batch"),
    ] = _R.chunk,
    accumulate: Annotated[int, typer.Option(help="Batches in a step.")] = _R.accumulate,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="The highest, after the warm-up.", show_default="0.0001; adapter and lora 0.001"),
    ] = _R.learning_rate,
    weight_decay: Annotated[float, typer.Option(help="Of matrices.")] = _R.weight_decay,
    warm_up: Annotated[float, typer.Option(help="Share of the steps.")] = _R.warm_up,
    clip_norm: Annotated[float, typer.Option(help="Longest gradient.")] = _R.clip_norm,
    smallest_crop: Annotated[float, typer.Option(help="Share of a picture kept at least; 1: whole.")] = (
        _R.smallest_crop
    ),
    no_mirror: Annotated[bool, typer.Option("--no-mirror", help="Mirror no pictures.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same training.")] = _R.seed,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = _R.precision,
    save_memory: Annotated[
        bool, typer.Option("--save-memory", help="Compute activations twice instead of keeping them.")
    ] = False,
    weights: Annotated[str, typer.Option(help="As what to store: float16, bfloat16 or float32.")] = "float16",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads that decode.", show_default=False)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted training in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Train a model on your own captions, and write one that `--model local-dir:FOLDER` takes.

    Recall is measured on pictures held out before training and after every epoch; the best epoch is kept. Interrupt it
    at any time: --resume goes on after the last whole epoch.
    """
    recipe = Recipe(
        loss=loss,  # type: ignore[arg-type]  # the recipe checks it
        train=moving,  # type: ignore[arg-type]
        lora_rank=lora_rank,
        lora_alpha=lora_alpha,
        freeze_batch_norm=not train_batch_norm,
        epochs=epochs,
        batch_size=batch_size,
        chunk=chunk,
        accumulate=accumulate,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        warm_up=warm_up,
        clip_norm=clip_norm,
        smallest_crop=smallest_crop,
        mirror=not no_mirror,
        patience=patience,
        held_out=held_out,
        seed=seed,
        precision=precision,  # type: ignore[arg-type]
        save_memory=save_memory,
    )
    _check_choice("weights", weights, ("float16", "bfloat16", "float32"))
    _check_choice("device", device, ("auto", "cpu", "cuda"))
    from indexer.training.captions import hold_out, read_captions
    from indexer.training.finetune import fine_tune

    pictures = read_captions(data, images=images, skip_missing=skip_missing)
    if validation is None:
        pictures, measured = hold_out(pictures, recipe.held_out, recipe.seed)
    else:
        measured = read_captions([validation], images=images, skip_missing=skip_missing)
    with _watch(quiet=as_json) as watch:
        report = fine_tune(
            model,
            pictures,
            measured,
            out,
            recipe,
            names=[path.name for path in data],
            resume=resume,
            device=device,  # type: ignore[arg-type]
            threads=threads,
            stored=weights,  # type: ignore[arg-type]
            watch=watch,
        )
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, default=str))
    else:
        _print_report(report)


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    from indexer.errors import InvalidTraining

    if value not in allowed:
        raise InvalidTraining(f"--{name} must be {' or '.join(allowed)}, not {value!r}")


@contextmanager
def _watch(*, quiet: bool) -> Iterator[Callable[[TrainingProgress], None]]:
    """On a terminal a bar with loss, recall and time left; elsewhere a line an epoch. Both on stderr."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _line_an_epoch()


@contextmanager
def _bar() -> Iterator[Callable[[TrainingProgress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("measuring", total=None)

        def show(progress: TrainingProgress) -> None:
            loss = "" if progress.loss is None else f", loss {progress.loss:.3f}"
            recall = "" if progress.recall is None else f", R@10 {_at_10(progress.recall)}"
            description = f"epoch {progress.epoch}{loss}{recall}"
            bar.update(task, completed=progress.step, total=progress.steps, description=description)

        yield show


def _line_an_epoch() -> Callable[[TrainingProgress], None]:
    shown: list[HeldOutRecall] = []

    def show(progress: TrainingProgress) -> None:
        # Recall is measured anew, as another object, once an epoch.
        if progress.recall is not None and not any(progress.recall is recall for recall in shown):
            shown.append(progress.recall)
            loss = "" if progress.loss is None else f"loss {progress.loss:.3f}, "
            typer.echo(f"epoch {progress.epoch}: {loss}R@10 {_at_10(progress.recall)}", err=True)

    return show


def _at_10(recall: HeldOutRecall) -> str:
    return f"{100 * recall.text_to_image[2]:.1f} / {100 * recall.image_to_text[2]:.1f}"


def _print_report(report: TrainingReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("held-out recall", "text->image R@1/5/10", "image->text R@1/5/10"):
        table.add_column(column, justify="left" if column == "held-out recall" else "right")
    kept = report.best_epoch
    for name, result in (("before", report.history[0]), (f"after epoch {kept}", report.history[kept])):
        both = (result.recall.text_to_image, result.recall.image_to_text)
        table.add_row(name, *(" / ".join(f"{100 * value:.1f}" for value in values) for values in both))
    Console().print(table)
    if not kept:
        typer.echo("no epoch was better than the model it began with; its weights were written unchanged", err=True)
    elif report.stopped_early:
        typer.echo(f"stopped after epoch {report.history[-1].epoch}: recall did not rise any more", err=True)
    typer.echo(f"the model is in {report.out}; use it with --model local-dir:{report.out}")
